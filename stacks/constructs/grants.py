"""Rights as they are written down here: a list of actions and the resources they are for.

Among them those of every role that SageMaker runs a container under, to its image, its log and its
metrics, and what roles need so that functions, jobs and models may run in a stage's own network:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from nova_judge.recipe import catalog
from nova_judge.runs.job_outcome import EVENT_SOURCE
from stacks.config import Vpc
from stacks.constructs.names import colon_arn, slash_arn

Right: TypeAlias = tuple[Sequence[str], Sequence[str]]
SERVING_LOGS = ("/aws/sagemaker/Endpoints/*", "/aws/sagemaker/Endpoints")
"""What the container of an endpoint writes: its log groups, and its namespace of metrics."""


def allow(grantee: iam.IGrantable, *rights: Right, where: Mapping[str, Any] | None = None) -> None:
    """Let somebody take the actions of each right on its resources, `where` conditions hold."""
    for actions, resources in rights:
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=where)
        )


def allow_pass_role(grantee: iam.IGrantable, role: iam.IRole, service: str) -> None:
    """Let somebody hand a role to one service."""
    to_it = {"StringEquals": {"iam:PassedToService": service}}
    allow(grantee, (["iam:PassRole"], [role.role_arn]), where=to_it)


def allow_events(grantee: iam.IGrantable, stack: cdk.Stack) -> None:
    """Let somebody put our own events on the account's own event bus."""
    bus = slash_arn(stack, "events", "event-bus", "default")
    ours = {"StringEquals": {"events:source": EVENT_SOURCE}}
    allow(grantee, (["events:PutEvents"], [bus]), where=ours)


def allow_list(grantee: iam.IGrantable, bucket: str, keys: str) -> None:
    """Let somebody list a bucket (an ARN) below the keys of a pattern, and nowhere else."""
    below = {"StringLike": {"s3:prefix": [keys]}}
    allow(grantee, (["s3:ListBucket"], [bucket]), where=below)


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


def let_functions_in(role: iam.IGrantable, stack: cdk.Stack, vpc: Vpc) -> None:
    """Let Lambda make and remove a function's network interfaces in these subnets."""
    changes = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    looks = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    _let_in(role, stack, vpc, changes, looks)


def let_containers_in(role: iam.IGrantable, stack: cdk.Stack, vpc: Vpc) -> None:
    """Let SageMaker do the same for a job or a model, and lend the interface to its own account."""
    changes = ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission"]
    looks = [
        *("ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces"),
        *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
    ]
    _let_in(role, stack, vpc, changes, looks)


def _let_in(
    role: iam.IGrantable, stack: cdk.Stack, vpc: Vpc, changes: list[str], looks: list[str]
) -> None:
    """`changes`: what is done to interfaces beside making and removing them."""
    interfaces = slash_arn(stack, "ec2", "network-interface", "*")
    places = [
        interfaces,
        *(slash_arn(stack, "ec2", "subnet", name) for name in vpc.subnets),
        *(slash_arn(stack, "ec2", "security-group", name) for name in vpc.security_groups),
    ]
    allow(
        role,
        (["ec2:CreateNetworkInterface"], places),
        ([*changes, "ec2:DeleteNetworkInterface"], [interfaces]),
        (looks, ["*"]),
    )
