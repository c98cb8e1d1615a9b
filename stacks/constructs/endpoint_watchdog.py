"""The second net under endpoints and judge jobs: looks on a schedule for what nobody needs."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import WatchSettings
from stacks.config import StageConfig
from stacks.constructs.grants import allow
from stacks.constructs.names import bedrock_jobs, colon_arn, stage_resources
from stacks.constructs.python_function import PythonFunction

EVERY = cdk.Duration.minutes(15)


class EndpointWatchdog(Construct):
    """One function and its schedule; it may end what this stage names, and start nothing."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        settings: WatchSettings,
        executions: Sequence[str],
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            "WatchEndpoints",
            module="watch_endpoints",
            settings=settings,
            config=config,
            description="Nova Judge: deletes endpoints and stops jobs that no running run needs",
            timeout=cdk.Duration.minutes(5),
        )
        self.function.keep_lost_events(dead_letters)
        self._grant(config, executions)
        events.Rule(
            self,
            "Schedule",
            description="Looks for endpoints and judge jobs that no running run needs",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=dead_letters)],
        )

    def _grant(self, config: StageConfig, executions: Sequence[str]) -> None:
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
            (["states:DescribeExecution"], executions),
            (["logs:DescribeLogGroups"], ["*"]),
            (["logs:PutRetentionPolicy"], [endpoint_logs]),
        )
