"""Rights as they are written down here: a list of actions and the resources they are for."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from nova_judge.runs.job_outcome import EVENT_SOURCE
from stacks.constructs.names import slash_arn

Right: TypeAlias = tuple[Sequence[str], Sequence[str]]


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
