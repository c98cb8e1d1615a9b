"""The second net under endpoints and judge jobs: looks on a schedule for what nobody needs."""

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import EndpointSettings, WatchSettings
from stacks.config import StageConfig
from stacks.constructs.grants import allow
from stacks.constructs.names import (
    bedrock_jobs,
    colon_arn,
    execution_arns,
    stage_resources,
)
from stacks.constructs.python_function import PythonFunction, retention_days

EVERY = cdk.Duration.minutes(15)


class EndpointWatchdog(Construct):
    """One function and its schedule; it may end what this stage names, and start nothing."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        serving: EndpointSettings,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, "Watchdog")
        self.function = PythonFunction(
            self,
            "WatchEndpoints",
            module="watch_endpoints",
            settings=WatchSettings(
                **msgspec.structs.asdict(serving),
                log_retention_days=retention_days(config.log_retention_days),
            ),
            config=config,
            description="Nova Judge: deletes endpoints and stops jobs that no running run needs",
            timeout=cdk.Duration.minutes(5),
        )
        self.function.keep_lost_events(dead_letters)
        self._grant(config)
        events.Rule(
            self,
            "Schedule",
            description="Looks for endpoints and judge jobs that no running run needs",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=dead_letters)],
        )

    def _grant(self, config: StageConfig) -> None:
        stack = cdk.Stack.of(self)
        log_groups = f"/aws/sagemaker/Endpoints/{config.prefix}-*"
        endpoint_logs = colon_arn(stack, "logs", "log-group", log_groups)
        allow(
            self.function,
            (["sagemaker:ListEndpoints", "sagemaker:ListTrainingJobs"], ["*"]),
            (
                ["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"],
                [stage_resources(stack, config, "endpoint")],
            ),
            (
                ["sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"],
                [stage_resources(stack, config, "training-job")],
            ),
            (["bedrock:ListModelInvocationJobs", "bedrock:ListEvaluationJobs"], ["*"]),
            (["bedrock:StopModelInvocationJob"], [bedrock_jobs(stack, "model-invocation-job")]),
            (
                ["bedrock:GetEvaluationJob", "bedrock:StopEvaluationJob"],
                [bedrock_jobs(stack, "evaluation-job")],
            ),
            (["states:DescribeExecution"], execution_arns(stack, config.machine_name)),
            (["logs:DescribeLogGroups"], ["*"]),
            (["logs:PutRetentionPolicy"], [endpoint_logs]),
        )
