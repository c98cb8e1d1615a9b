"""A stage's own network: what roles need so that functions, jobs and models may run in it.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from stacks.config import Vpc
from stacks.constructs.grants import allow
from stacks.constructs.names import slash_arn


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
