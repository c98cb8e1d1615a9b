"""The functions behind the states, each with what its state needs and no more."""

from typing import Any

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from lambdas.settings import (
    BatchSettings,
    EndpointSettings,
    FailureSettings,
    FunctionSettings,
    JobSettings,
)
from nova_judge.layout import INBOX
from nova_judge.preflight.weights_check import HUB
from nova_judge.recipe import catalog
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_events, allow_pass_role
from stacks.constructs.names import (
    bedrock_jobs,
    bedrock_models,
    execution_arns,
    machine_arns,
    own_models,
    pascal,
    repository_arn,
    sagemaker_arns,
    secret_keys,
    stage_resources,
)
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.storage import Storage

RELEASING = ("UpdateItem", "DeleteItem")
"""Actions of whoever gives leases up."""
ASKING = ("GenerateResponses", "JudgeRows")
"""The states that ask models on endpoints and servers: candidates, and judges."""


class EvaluationFunctions:
    """`by_state` maps a state's name to its function."""

    def __init__(
        self,
        stack: cdk.Stack,
        *,
        config: StageConfig,
        storage: Storage,
        judge_role: iam.Role,
        serving: EndpointSettings,
        reports: sns.ITopic,
    ) -> None:
        self._stack, self._config, self._storage = stack, config, storage
        self._judge_role, self._reports = judge_role, reports
        self.by_state: dict[str, PythonFunction] = {}
        self._add_functions(serving)
        self._grant_functions()

    def _add_functions(self, serving: EndpointSettings) -> None:
        common = self._storage.settings(self._config)
        plain = FunctionSettings(**common)
        planning = JobSettings(
            **common,
            job_prefix=self._config.prefix,
            job_role_arn=self._judge_role.role_arn,
            kms_key_arn=self._config.kms_key or "",
            candidate_endpoints=",".join(self._config.candidate_endpoints),
            weights=",".join(self._config.weights),
            model_packages=",".join(self._config.model_packages),
            training_jobs=",".join(self._config.training_jobs),
        )
        batch = BatchSettings(
            **msgspec.structs.asdict(serving),
            job_role_arn=self._judge_role.role_arn,
            kms_key_arn=self._config.kms_key or "",
        )
        failing = FailureSettings(
            **msgspec.structs.asdict(serving), topic_arn=self._reports.topic_arn
        )
        long, minutes = cdk.Duration.minutes(15), cdk.Duration.minutes(5)
        # Time enough for a gated model where the Hub's may be served.
        copying = long if HUB in self._config.weights else cdk.Duration.minutes(1)
        # A table of gigabytes is written as JSON Lines here, and a JSON array is held whole.
        self._add("plan_evaluation", planning, timeout=long, memory_mb=3008, scratch_mb=10_240)
        self._add("claim_run", plain)
        # Gated models of the Hub are copied into the bucket, as fast as one CPU can.
        self._add("prepare_endpoints", serving, timeout=copying, memory_mb=1769)
        self._add("generate_responses", serving, timeout=long, memory_mb=1024)
        self._add("release_endpoints", serving)
        self._add("batch_responses", batch, timeout=long, memory_mb=2048)
        self._add("build_jobs", planning, timeout=long, memory_mb=2048)
        self._add("write_job_files", plain, timeout=long, memory_mb=2048)
        self._add("judge_rows", batch, timeout=long, memory_mb=2048)
        # The details of a job lie on the disk twice: as lines, and as Parquet.
        self._add("collect_verdicts", plain, timeout=long, memory_mb=2048, scratch_mb=10_240)
        self._add("record_failure", failing, timeout=minutes, memory_mb=1024)

    def _add(self, module: str, settings: FunctionSettings, **limits: Any) -> None:  # noqa: ANN401
        name = pascal(module)
        self.by_state[name] = PythonFunction(
            self._stack,
            name,
            module=module,
            settings=settings,
            config=self._config,
            description=f"Nova Judge: the state {name}",
            **limits,
        )

    def _grant_functions(self) -> None:
        storage, function = self._storage, self.by_state
        reading = ("PlanEvaluation", "GenerateResponses", "BatchResponses", "BuildJobs")
        working = ("WriteJobFiles", "JudgeRows", "CollectVerdicts", "RecordFailure")
        for name in reading:
            storage.allow_read(function[name], f"{INBOX}*")
        storage.allow_read(function["PlanEvaluation"], "recipes/*")
        self._grant_preflight(function["PlanEvaluation"])
        storage.allow_write(function["ClaimRun"], "runs/*")
        for name in ("GenerateResponses", "BatchResponses", "JudgeRows"):
            storage.allow_read(function[name], "answers/*")
            storage.allow_write(function[name], "answers/*")
        for name in (*reading, *working):
            storage.allow_read(function[name], "runs/*")
            storage.allow_write(function[name], "runs/*")
        storage.allow_table(function["PrepareEndpoints"], "GetItem", "PutItem", *RELEASING)
        storage.allow_table(function["ReleaseEndpoints"], *RELEASING)
        storage.allow_table(function["RecordFailure"], "GetItem", "Scan", *RELEASING)
        storage.allow_table(function["ClaimRun"], "GetItem", "PutItem")
        allow(function["RecordFailure"], (["sns:Publish"], [self._reports.topic_arn]))
        for name in ("ClaimRun", "RecordFailure"):
            allow_events(function[name], self._stack)
        self._grant_endpoints()
        self._grant_account_endpoints()
        self._grant_models()
        allow(
            function["RecordFailure"],
            (
                [
                    *("states:ListMapRuns", "states:ListExecutions", "states:DescribeExecution"),
                    "states:GetExecutionHistory",
                ],
                machine_arns(self._stack, self._config.machine_name),
            ),
        )

    def _grant_preflight(self, function: PythonFunction) -> None:
        """Reading only: what the checks before a run ask of the account."""
        models = bedrock_models(self._stack)
        endpoints = sagemaker_arns(self._stack, "endpoint", "*")
        components = sagemaker_arns(self._stack, "inference-component", "*")
        allow(
            function,
            (["servicequotas:ListServiceQuotas"], ["*"]),
            (["bedrock:GetFoundationModel", "bedrock:GetInferenceProfile"], models),
            (["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles"], ["*"]),
            (
                [
                    "bedrock:GetCustomModelDeployment",
                    "bedrock:GetImportedModel",
                    "bedrock:GetProvisionedModelThroughput",
                ],
                own_models(self._stack),
            ),
            (
                ["bedrock:GetFoundationModelAvailability", "bedrock:GetUseCaseForModelAccess"],
                ["*"],
            ),
            (["ecr:BatchGetImage", "ecr:ListImages"], self._repositories()),
            (["iam:GetRole", "iam:SimulatePrincipalPolicy"], [self._judge_role.role_arn]),
            (["s3:GetBucketNotification"], [self._storage.data_bucket.bucket_arn]),
            (
                ["sagemaker:DescribeEndpoint", "sagemaker:DescribeInferenceComponent"],
                [*endpoints, *components],
            ),
            (["sagemaker:ListEndpoints", "sagemaker:ListInferenceComponents"], ["*"]),
        )

    def _repositories(self) -> list[str]:
        """Those of the images that jobs and endpoints run; AWS has an account in each region."""
        images = catalog.images()
        serving = {image.partition(":")[0] for image in images.serving.images.values()}
        named = sorted({images.nova_evaluation.repository, *serving})
        ours = [repository_arn(self._stack, "*", name) for name in named]
        return [*ours, *self._config.judge_image_repositories]

    def _grant_endpoints(self) -> None:
        keys = secret_keys(self._stack, self._config)
        for name in ("PlanEvaluation", *ASKING):
            allow(self.by_state[name], (["secretsmanager:GetSecretValue"], [keys]))
        endpoints = stage_resources(self._stack, self._config, "endpoint")
        configs = stage_resources(self._stack, self._config, "endpoint-config")
        for name in ASKING:
            allow(
                self.by_state[name],
                (["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], [endpoints]),
            )
        allow(
            self.by_state["PrepareEndpoints"],
            (["sagemaker:AddTags", "sagemaker:CreateEndpoint"], [endpoints, configs]),
            (
                ["states:DescribeExecution"],
                execution_arns(self._stack, self._config.machine_name),
            ),
        )
        for name in ("PrepareEndpoints", "ReleaseEndpoints", "RecordFailure"):
            allow(
                self.by_state[name],
                (["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"], [endpoints]),
            )

    def _grant_account_endpoints(self) -> None:
        """Those of the account that the stage names, and no others."""
        named = self._config.candidate_endpoints
        if not named:
            return
        endpoints = sagemaker_arns(self._stack, "endpoint", *named)
        components = sagemaker_arns(self._stack, "inference-component", *named)
        for name in ASKING:
            allow(
                self.by_state[name],
                (["sagemaker:InvokeEndpoint"], [*endpoints, *components]),
                (["sagemaker:DescribeEndpoint"], endpoints),
                (["sagemaker:DescribeInferenceComponent"], components),
                (["sagemaker:ListInferenceComponents"], ["*"]),
            )

    def _grant_models(self) -> None:
        models = bedrock_models(self._stack)
        jobs = bedrock_jobs(self._stack, "model-invocation-job")
        in_batch = (self.by_state["BatchResponses"], self.by_state["JudgeRows"])
        # Routers answer calls alone, by models that `bedrock_models` names.
        kinds = ("default-prompt-router", "prompt-router")
        routers = [bedrock_jobs(self._stack, kind) for kind in kinds]
        called = [*models, *own_models(self._stack), *routers]
        for function in (self.by_state["GenerateResponses"], *in_batch):
            allow(function, (["bedrock:InvokeModel"], called))
        for function in in_batch:
            allow(
                function,
                (["bedrock:CreateModelInvocationJob"], [*models, jobs]),
                (["bedrock:GetModelInvocationJob", "bedrock:TagResource"], [jobs]),
            )
            allow_pass_role(function, self._judge_role, "bedrock.amazonaws.com")
