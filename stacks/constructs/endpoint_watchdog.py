"""The second net under endpoints and judge jobs: looks on a schedule for what nobody needs."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import WatchSettings
from stacks.config import StageConfig
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
        self.function.configure_async_invoke(
            retry_attempts=2, on_failure=destinations.SqsDestination(dead_letters)
        )
        self._grant(config.prefix, executions)
        events.Rule(
            self,
            "Schedule",
            description="Looks for endpoints and judge jobs that no running run needs",
            schedule=events.Schedule.rate(EVERY),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=dead_letters)],
        )

    def _grant(self, prefix: str, executions: Sequence[str]) -> None:
        stack = cdk.Stack.of(self)

        def ours(resource: str) -> str:
            return stack.format_arn(
                service="sagemaker", resource=resource, resource_name=f"{prefix}-*"
            )

        statements: tuple[tuple[list[str], list[Any]], ...] = (
            (["sagemaker:ListEndpoints", "sagemaker:ListTrainingJobs"], ["*"]),
            (["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"], [ours("endpoint")]),
            (
                ["sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"],
                [ours("training-job")],
            ),
            (["bedrock:ListModelInvocationJobs", "bedrock:ListEvaluationJobs"], ["*"]),
            (
                ["bedrock:StopModelInvocationJob"],
                [
                    stack.format_arn(
                        service="bedrock", resource="model-invocation-job", resource_name="*"
                    )
                ],
            ),
            (
                ["bedrock:GetEvaluationJob", "bedrock:StopEvaluationJob"],
                [stack.format_arn(service="bedrock", resource="evaluation-job", resource_name="*")],
            ),
            (["states:DescribeExecution"], list(executions)),
            (["logs:DescribeLogGroups"], ["*"]),
            (
                ["logs:PutRetentionPolicy"],
                [
                    stack.format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=f"/aws/sagemaker/Endpoints/{prefix}-*",
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            ),
        )
        for actions, resources in statements:
            self.function.add_to_role_policy(
                iam.PolicyStatement(actions=actions, resources=resources)
            )
