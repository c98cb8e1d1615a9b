"""A stage's own network: what roles need so that functions, jobs and models may run in it.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from stacks.config import Vpc
from stacks.constructs.grants import allow


def let_functions_in(role: iam.IGrantable, stack: cdk.Stack, vpc: Vpc) -> None:
    """Let Lambda make and remove a function's network interfaces in these subnets."""
    allow(
        role,
        (["ec2:CreateNetworkInterface"], _places(stack, vpc)),
        (
            [
                "ec2:AssignPrivateIpAddresses",
                "ec2:DeleteNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ],
            [_ec2(stack, "network-interface", "*")],
        ),
        (["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"], ["*"]),
    )


def let_containers_in(role: iam.IGrantable, stack: cdk.Stack, vpc: Vpc) -> None:
    """Let SageMaker do the same for a job or a model, and lend the interface to its own account."""
    allow(
        role,
        (["ec2:CreateNetworkInterface"], _places(stack, vpc)),
        (
            [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            [_ec2(stack, "network-interface", "*")],
        ),
        (
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
        ),
    )


def _places(stack: cdk.Stack, vpc: Vpc) -> list[str]:
    return [
        _ec2(stack, "network-interface", "*"),
        *(_ec2(stack, "subnet", name) for name in vpc.subnets),
        *(_ec2(stack, "security-group", name) for name in vpc.security_groups),
    ]


def _ec2(stack: cdk.Stack, kind: str, name: str) -> str:
    return stack.format_arn(service="ec2", resource=kind, resource_name=name)
