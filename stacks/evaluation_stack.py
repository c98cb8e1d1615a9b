"""Evaluation: the state machine, the functions behind its states and the rule that starts it."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import ryaml
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from lambdas.settings import EndpointSettings, FunctionSettings, PlanEvaluationSettings
from nova_judge import __version__
from nova_judge.run_layout import INBOX
from stacks.config import StageConfig
from stacks.constructs.dead_letters import dead_letter_queue
from stacks.constructs.endpoint_watchdog import EndpointWatchdog
from stacks.constructs.judge_role import JudgeRole
from stacks.constructs.python_function import PythonFunction, log_retention
from stacks.constructs.scoring import Scoring
from stacks.endpoints_stack import EndpointsStack
from stacks.storage_stack import StorageStack

LEASE_ACTIONS = (
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
)
DEFINITION = Path(__file__).with_name("evaluation.asl.yaml")


class EvaluationStack(cdk.Stack):
    """Per run: nothing here costs anything while no run is under way."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        storage: StorageStack,
        endpoints: EndpointsStack,
    ) -> None:
        super().__init__(
            scope, construct_id, description="Nova Judge: the evaluation state machine"
        )
        self._config, self._storage, self._endpoints = config, storage, endpoints
        self.judge_role = JudgeRole(self, "JudgeRole", data_bucket=storage.data_bucket)
        self._common = {
            "stage": config.name,
            "data_bucket": storage.data_bucket.bucket_name,
            "runs_table": storage.runs_table.table_name,
        }
        self.functions = self._functions()
        self._grant_functions()
        self.machine_name = f"{config.prefix}-evaluation"
        self.machine = self._machine()
        self._grant_machine()
        self._allow_scoring()
        dead_letters = dead_letter_queue(self, "StartDeadLetters")
        self._start_on_upload(dead_letters)
        self._clean_up_after_abort(dead_letters)
        self._watch(dead_letters)
        cdk.CfnOutput(self, "StateMachineArn", value=self.machine.state_machine_arn)
        cdk.CfnOutput(self, "JudgeRoleArn", value=self.judge_role.role.role_arn)
        cdk.CfnOutput(self, "Version", value=__version__)

    def _functions(self) -> dict[str, PythonFunction]:
        common = FunctionSettings(**self._common)
        planning = PlanEvaluationSettings(
            **self._common,
            job_prefix=self._config.prefix,
            job_role_arn=self.judge_role.role.role_arn,
        )
        serving = self._serving_settings()
        long = cdk.Duration.minutes(15)
        return {
            "PlanEvaluation": self._function("plan_evaluation", planning),
            "ClaimRun": self._function("claim_run", common),
            "PrepareEndpoints": self._function("prepare_endpoints", serving),
            "GenerateResponses": self._function(
                "generate_responses", serving, timeout=long, memory_mb=1024
            ),
            "ReleaseEndpoints": self._function("release_endpoints", serving),
            "BuildJudgeDataset": self._function(
                "build_judge_dataset", planning, timeout=long, memory_mb=2048
            ),
            "BuildEvaluationJobs": self._function(
                "build_evaluation_jobs", planning, timeout=long, memory_mb=2048
            ),
            "RecordFailure": self._function("record_failure", serving, memory_mb=1024),
        }

    def _serving_settings(self) -> EndpointSettings:
        return EndpointSettings(
            **self._common,
            job_prefix=self._config.prefix,
            endpoints=self.to_json_string(self._endpoints.configs),
            endpoint_life=self._config.endpoints,
        )

    def _allow_scoring(self) -> None:
        scoring = Scoring(
            self,
            "Scoring",
            config=self._config,
            settings=FunctionSettings(**self._common),
            judge_role=self.judge_role.role,
            models=self._models(),
        )
        scoring.allow_machine(self.machine, self.judge_role.role)

    def _watch(self, dead_letters: sqs.Queue) -> None:
        watchdog = EndpointWatchdog(
            self,
            "Watchdog",
            config=self._config,
            settings=self._serving_settings(),
            executions=self._machine_arns(self.machine_name),
            dead_letters=dead_letters,
        )
        self._storage.runs_table.grant(watchdog.function, *LEASE_ACTIONS)
        for name, function in (*self.functions.items(), ("WatchEndpoints", watchdog.function)):
            if name in {"PrepareEndpoints", "ReleaseEndpoints", "WatchEndpoints"}:
                cdk.CfnOutput(self, f"{name}Function", value=function.function_name)

    def _function(self, module: str, settings: FunctionSettings, **limits: Any) -> PythonFunction:  # noqa: ANN401
        name = "".join(word.capitalize() for word in module.split("_"))
        return PythonFunction(
            self,
            name,
            module=module,
            settings=settings,
            config=self._config,
            description=f"Nova Judge: the state {name}",
            **limits,
        )

    def _grant_functions(self) -> None:
        storage, function = self._storage, self.functions
        for name in ("PlanEvaluation", "GenerateResponses", "BuildEvaluationJobs"):
            storage.allow_read(function[name], f"{INBOX}*")
        storage.allow_read(function["PlanEvaluation"], "recipes/*")
        self._grant_preflight(function["PlanEvaluation"])
        storage.allow_write(function["ClaimRun"], "runs/*")
        storage.allow_read(function["GenerateResponses"], "answers/*")
        storage.allow_write(function["GenerateResponses"], "answers/*")
        for name in (
            "GenerateResponses",
            "BuildJudgeDataset",
            "BuildEvaluationJobs",
            "RecordFailure",
        ):
            storage.allow_read(function[name], "runs/*")
            storage.allow_write(function[name], "runs/*")
        for name in ("PrepareEndpoints", "ReleaseEndpoints", "RecordFailure"):
            storage.runs_table.grant(function[name], *LEASE_ACTIONS)
        storage.runs_table.grant(
            function["ClaimRun"], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"
        )
        storage.runs_table.grant(function["RecordFailure"], "dynamodb:Scan")
        self._grant_endpoints()
        function["RecordFailure"].add_to_role_policy(
            iam.PolicyStatement(
                actions=["states:ListMapRuns", "states:ListExecutions", "states:DescribeExecution"],
                resources=self._machine_arns(f"{self._config.prefix}-evaluation"),
            )
        )

    def _grant_preflight(self, function: PythonFunction) -> None:
        """Reading only: what the checks before a run ask of the account."""
        for actions, resources in (
            (["servicequotas:ListServiceQuotas"], ["*"]),
            (["bedrock:GetFoundationModel", "bedrock:GetInferenceProfile"], self._models()),
            (["iam:GetRole"], [self.judge_role.role.role_arn]),
            (["s3:GetBucketNotification"], [self._storage.data_bucket.bucket_arn]),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _grant_endpoints(self) -> None:
        endpoints = self._sagemaker_arn("endpoint")
        self.functions["GenerateResponses"].add_to_role_policy(
            iam.PolicyStatement(
                actions=["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
                resources=[endpoints],
            )
        )
        self.functions["GenerateResponses"].add_to_role_policy(
            iam.PolicyStatement(
                actions=["bedrock:InvokeModel"],
                resources=self._models(),
            )
        )
        configs = self.format_arn(
            service="sagemaker", resource="endpoint-config", resource_name="*"
        )
        for name in ("PrepareEndpoints", "ReleaseEndpoints", "RecordFailure"):
            self.functions[name].add_to_role_policy(
                iam.PolicyStatement(
                    actions=[
                        "sagemaker:AddTags",
                        "sagemaker:CreateEndpoint",
                        "sagemaker:DeleteEndpoint",
                        "sagemaker:DescribeEndpoint",
                    ],
                    resources=[endpoints, configs],
                )
            )

    def _models(self) -> list[str]:
        """Recipes name the model; an inference profile calls it in every region that it spans."""
        own = f"arn:{self.partition}:bedrock:*:{self.account}"
        return [
            f"arn:{self.partition}:bedrock:*::foundation-model/*",
            f"{own}:inference-profile/*",
            f"{own}:application-inference-profile/*",
        ]

    def _sagemaker_arn(self, resource: str) -> str:
        """Everything of that kind that this stage names."""
        return self.format_arn(
            service="sagemaker", resource=resource, resource_name=f"{self._config.prefix}-*"
        )

    def _machine(self) -> sfn.StateMachine:
        definition = json.dumps(ryaml.loads(DEFINITION.read_text(encoding="utf-8")), indent=1)
        substitutions = {name: f.function_arn for name, f in self.functions.items()}
        substitutions |= {
            "Region": self.region,
            "Stage": self._config.name,
            "RunsTable": self._storage.runs_table.table_name,
        }
        return sfn.StateMachine(
            self,
            "Evaluation",
            state_machine_name=self.machine_name,
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=substitutions,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "EvaluationLog",
                    log_group_name=f"/aws/vendedlogs/states/{self.machine_name}",
                    retention=log_retention(self._config.log_retention_days),
                    removal_policy=cdk.RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )

    def _machine_arns(self, name: str) -> list[str]:
        """The machine, its executions and map runs; by name, because it would refer to itself."""
        colon = cdk.ArnFormat.COLON_RESOURCE_NAME
        return [
            self.format_arn(
                service="states", resource=kind, resource_name=f"{name}{rest}", arn_format=colon
            )
            for kind, rest in (
                ("stateMachine", ""),
                ("execution", ":*"),
                ("execution", "/*"),
                ("mapRun", "/*"),
            )
        ]

    def _grant_machine(self) -> None:
        self._storage.allow_read(self.machine, "runs/*/shards.json")
        self._storage.runs_table.grant(self.machine, "dynamodb:GetItem")
        self.machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.judge_role.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        statements = (
            (
                ("lambda:InvokeFunction",),
                [function.function_arn for function in self.functions.values()],
            ),
            (
                (
                    "states:StartExecution",
                    "states:DescribeExecution",
                    "states:StopExecution",
                    "states:RedriveExecution",
                ),
                self._machine_arns(self.machine_name),
            ),
            (
                (
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                    "sagemaker:AddTags",
                    "sagemaker:ListTags",
                ),
                [self._sagemaker_arn("training-job")],
            ),
            (
                ("events:PutTargets", "events:PutRule", "events:DescribeRule"),
                [
                    self.format_arn(
                        service="events",
                        resource="rule",
                        resource_name="StepFunctionsGetEventsForSageMakerTrainingJobsRule",
                    )
                ],
            ),
        )
        for actions, resources in statements:
            self.machine.add_to_role_policy(
                iam.PolicyStatement(actions=list(actions), resources=resources)
            )

    def _start_on_upload(self, dead_letters: sqs.Queue) -> None:
        events.Rule(
            self,
            "StartOnUpload",
            description="A file dropped at inbox/<recipe>/ starts an evaluation",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._storage.data_bucket.bucket_name]},
                    # A dot in the name: the console's folder markers are no files.
                    "object": {"key": [{"wildcard": f"{INBOX}*.*"}]},
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.machine,
                    input=events.RuleTargetInput.from_event_path("$.detail"),
                    dead_letter_queue=dead_letters,
                    retry_attempts=10,
                )
            ],
        )

    def _clean_up_after_abort(self, dead_letters: sqs.Queue) -> None:
        self.functions["RecordFailure"].configure_async_invoke(
            retry_attempts=2, on_failure=destinations.SqsDestination(dead_letters)
        )
        events.Rule(
            self,
            "CleanUpAfterAbort",
            description="An aborted or timed-out execution runs no Catch: clean up after it",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.machine.state_machine_arn],
                    "status": ["ABORTED", "TIMED_OUT"],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self.functions["RecordFailure"],
                    event=events.RuleTargetInput.from_event_path("$.detail"),
                    dead_letter_queue=dead_letters,
                )
            ],
        )
