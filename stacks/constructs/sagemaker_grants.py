"""Rights of every role that SageMaker runs a container under: its image, its log, its metrics."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nova_judge.recipe import catalog
from stacks.constructs.grants import allow
from stacks.constructs.names import colon_arn

SERVING_LOGS = ("/aws/sagemaker/Endpoints/*", "/aws/sagemaker/Endpoints")
"""What the container of an endpoint writes: its log groups, and its namespace of metrics."""


def serving_registry(scope: Construct) -> str:
    """The account of AWS's serving images where the stack is deployed.

    The CDK's own list leaves out a third of the regions, and a deployment there fails.
    """
    accounts = catalog.images().serving.accounts
    mapping = {region: {"account": account} for region, account in accounts.items()}
    registries = cdk.CfnMapping(scope, "ServingRegistries", mapping=mapping)
    return registries.find_in_map(cdk.Stack.of(scope).region, "account")


def container_role(
    scope: Construct,
    construct_id: str,
    description: str,
    services: Sequence[str] = ("sagemaker.amazonaws.com",),
) -> iam.Role:
    """The role of a container, which these services may take on for this account."""
    ours = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    trust = [iam.ServicePrincipal(service, conditions=ours) for service in services]
    return iam.Role(
        scope,
        construct_id,
        assumed_by=iam.CompositePrincipal(*trust),
        description=description,
    )


def allow_container(role: iam.Role, repositories: Sequence[str], writes: tuple[str, str]) -> None:
    """Let a role pull from these repositories (ARNs), and write its logs and metrics.

    `writes`: its log groups and its namespace of metrics, and nothing else of CloudWatch.
    """
    pulls = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    logs = [
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams"),
        "logs:PutLogEvents",
    ]
    group = colon_arn(cdk.Stack.of(role), "logs", "log-group", writes[0])
    allow(
        role,
        (pulls, repositories),
        (["ecr:GetAuthorizationToken"], ["*"]),  # the registry's login knows no resource
        (logs, [group, f"{group}:log-stream:*"]),
    )
    own_metrics = {"StringEquals": {"cloudwatch:namespace": [writes[1]]}}
    allow(role, (["cloudwatch:PutMetricData"], ["*"]), where=own_metrics)
