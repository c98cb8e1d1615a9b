"""Rights of every role that SageMaker runs a container under: its image, its log, its metrics."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nova_judge.recipe import catalog


def serving_registry(scope: Construct) -> str:
    """The account of AWS's serving images where the stack is deployed.

    The CDK's own list leaves out a third of the regions, and a deployment there fails.
    """
    accounts = catalog.images().serving.accounts
    mapping = {region: {"account": account} for region, account in accounts.items()}
    registries = cdk.CfnMapping(scope, "ServingRegistries", mapping=mapping)
    return registries.find_in_map(cdk.Stack.of(scope).region, "account")


def grant_image_pull(role: iam.Role, repositories: Sequence[str]) -> None:
    """Let a role pull from these repositories (ARNs); the registry's login knows no resource."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources=list(repositories),
        )
    )
    role.add_to_policy(iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]))


def grant_telemetry(role: iam.Role, stack: cdk.Stack, log_groups: str, namespace: str) -> None:
    """Let SageMaker write this role's logs and metrics, and nothing else of CloudWatch."""
    group = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=log_groups,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            resources=[group, f"{group}:log-stream:*"],
        )
    )
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": [namespace]}},
        )
    )
