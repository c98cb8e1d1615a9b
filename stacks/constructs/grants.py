"""Rights as they are written down here: a list of actions and the resources they are for."""

from collections.abc import Sequence
from typing import TypeAlias

from aws_cdk import aws_iam as iam

Right: TypeAlias = tuple[Sequence[str], Sequence[str]]


def allow(grantee: iam.IGrantable, *rights: Right) -> None:
    """Let somebody take the actions of each right on its resources."""
    for actions, resources in rights:
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources))
        )


def allow_pass_role(grantee: iam.IGrantable, role: iam.IRole, service: str) -> None:
    """Let somebody hand a role to one service."""
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": service}},
        )
    )


def allow_events(grantee: iam.IGrantable, bus: str, source: str) -> None:
    """Let somebody put events of one source on a bus (an ARN)."""
    grantee.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            conditions={"StringEquals": {"events:source": source}},
        )
    )
