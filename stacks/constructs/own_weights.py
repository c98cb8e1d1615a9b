"""The role under which weights that recipes name are served, and who makes and removes them."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nova_judge.recipe import catalog
from nova_judge.sources.weights import OWN, SERVING
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_pass_role
from stacks.constructs.network import let_containers_in
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.sagemaker_grants import grant_image_pull, grant_telemetry

IN_S3 = "s3://"


class OwnWeights(Construct):
    """`role` reads the folders that the stage names, and nothing else of the account."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._config = cdk.Stack.of(self), config
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": self._stack.account}},
            ),
            description="Serves weights of the stage's folders: image, logs, metrics, weights",
        )
        repository = catalog.images().serving.images[SERVING].split(":")[0]
        images = self._stack.format_arn(
            service="ecr", account="*", resource="repository", resource_name=repository
        )
        grant_image_pull(self.role, [images])
        grant_telemetry(
            self.role, self._stack, "/aws/sagemaker/Endpoints/*", "/aws/sagemaker/Endpoints"
        )
        folders = [each for each in config.weights if each.startswith(IN_S3)]
        for folder in folders:
            self._allow_reading(folder.removeprefix(IN_S3))
        if folders and config.kms_key:
            allow(self.role, (["kms:Decrypt"], [config.kms_key]))
        if config.vpc:
            let_containers_in(self.role, self._stack, config.vpc)

    def allow_making(self, functions: Mapping[str, PythonFunction]) -> None:
        """Let functions make models and configurations with names of own weights, and remove them.

        PrepareEndpoints makes them; whoever deletes an endpoint removes what it was made of.
        """
        models, configs = self._named("model"), self._named("endpoint-config")
        for name, function in functions.items():
            allow(
                function,
                (["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"], [models, configs]),
                (
                    ["sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"],
                    ["*"],
                ),
                (["sagemaker:ListModels"], ["*"]),
            )
            if name == "PrepareEndpoints":
                allow(
                    function,
                    (
                        [
                            "sagemaker:AddTags",
                            "sagemaker:CreateEndpointConfig",
                            "sagemaker:CreateModel",
                        ],
                        [models, configs],
                    ),
                    (["sagemaker:DescribeEndpointConfig"], [configs]),
                )
                allow_pass_role(function, self.role, "sagemaker.amazonaws.com")

    def _named(self, kind: str) -> str:
        name = f"{self._config.prefix}-{OWN}*"
        return self._stack.format_arn(service="sagemaker", resource=kind, resource_name=name)

    def _allow_reading(self, folder: str) -> None:
        bucket, _, prefix = folder.partition("/")
        arn = f"arn:{self._stack.partition}:s3:::{bucket}"
        allow(self.role, (["s3:GetObject"], [f"{arn}/{prefix}*"]))
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[arn],
                conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
            )
        )
