"""The role under which models of recipes are served, and who reads, makes and removes them."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nova_judge.layout import WEIGHTS
from nova_judge.preflight.weights_check import HUB
from nova_judge.recipe import catalog
from nova_judge.sources.own_endpoint import ESCROW
from nova_judge.sources.served import IMAGES, OWN
from stacks.config import StageConfig
from stacks.constructs.grants import (
    SERVING_LOGS,
    allow,
    allow_container,
    allow_list,
    allow_pass_role,
    container_role,
    let_containers_in,
    serving_registry,
)
from stacks.constructs.names import (
    repository_arn,
    sagemaker_arns,
    secret_keys,
    stage_resources,
)
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.storage import Storage

IN_S3 = "s3://"
HUB_HOST = "huggingface.co"


class OwnWeights(Construct):
    """`role` reads the folders that the stage names, and nothing else of the account."""

    def __init__(self, scope: Construct, *, config: StageConfig, storage: Storage) -> None:
        super().__init__(scope, "Weights")
        self._stack, self._config = cdk.Stack.of(self), config
        description = "Serves weights of the stage's folders: image, logs, metrics, weights"
        self.role = container_role(self, "Role", description)
        repositories = [*self._images(), *config.serving_image_repositories]
        allow_container(self.role, repositories, SERVING_LOGS)
        self._allow_reading(self.role)
        if HUB in config.weights:
            self._allow_copies(storage)
        if config.vpc:
            let_containers_in(self.role, self._stack, config.vpc)

    def _images(self) -> list[str]:
        """The repositories of AWS's own accounts: anybody may give one of the same name."""
        images, registry = catalog.images(), serving_registry(self)
        named = {images.serving.images[image].split(":")[0] for image in IMAGES.values()}
        places = [(registry, name) for name in sorted(named)]
        has_nova = any(each.startswith(ESCROW) for each in self._config.weights)
        if self._config.model_packages or self._config.training_jobs or has_nova:
            nova = images.nova_inference
            places += [(each, nova.repository) for each in sorted(set(nova.accounts.values()))]
        return [repository_arn(self._stack, account, name) for account, name in places]

    def allow_making(self, functions: Mapping[str, PythonFunction]) -> None:
        """Let functions make models and configurations with names of own weights, and remove them.

        PrepareEndpoints makes them; whoever deletes an endpoint removes what it was made of.
        """
        models, configs = (
            stage_resources(self._stack, self._config, kind, f"{OWN}*")
            for kind in ("model", "endpoint-config")
        )
        for name, function in functions.items():
            allow(
                function,
                (["sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"], [models, configs]),
                (["sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"], ["*"]),
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
                if packages := self._config.model_packages:
                    # Of another account's package both accounts must allow it:
                    # https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-deploy-xaccount.html
                    allow(function, (["sagemaker:CreateModel"], packages))
                allow_pass_role(function, self.role, "sagemaker.amazonaws.com")

    def allow_settling(self, function: PythonFunction) -> None:
        """Let a function find out what would be served: packages, jobs, and what folders hold."""
        self._allow_reading(function)
        if packages := self._config.model_packages:
            allow(function, (["sagemaker:DescribeModelPackage"], packages))
        if jobs := sagemaker_arns(self._stack, "training-job", *self._config.training_jobs):
            allow(function, (["sagemaker:DescribeTrainingJob"], jobs))

    def allow_copying(self, function: PythonFunction, storage: Storage) -> None:
        """Let a function copy gated models of the Hub into the bucket, with the keys for it."""
        if HUB not in self._config.weights:
            return
        keys = secret_keys(self._stack, self._config, f"{HUB_HOST}/")
        allow(function, (["secretsmanager:GetSecretValue"], [keys]))
        storage.allow_write(function, f"{WEIGHTS}*")

    def _allow_copies(self, storage: Storage) -> None:
        """Let the role read those copies, and nothing else of the bucket."""
        bucket = storage.data_bucket
        allow(self.role, (["s3:GetObject"], [bucket.arn_for_objects(f"{WEIGHTS}*")]))
        allow_list(self.role, bucket.bucket_arn, f"{WEIGHTS}*")
        if storage.kms_key:
            allow(self.role, (["kms:Decrypt"], [storage.kms_key]))

    def _allow_reading(self, grantee: iam.IGrantable) -> None:
        """Let somebody read the stage's folders, and decrypt with its key."""
        folders = [f.removeprefix(IN_S3) for f in self._config.weights if f.startswith(IN_S3)]
        for folder in folders:
            bucket, _, prefix = folder.partition("/")
            arn = f"arn:{self._stack.partition}:s3:::{bucket}"
            allow(grantee, (["s3:GetObject"], [f"{arn}/{prefix}*"]))
            allow_list(grantee, arn, f"{prefix}*")
        if folders and self._config.kms_key:
            allow(grantee, (["kms:Decrypt"], [self._config.kms_key]))
