"""Executions that go on where they stopped, and what they were asked for."""

import functools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import ClientError

from nova_judge.aws.client_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_CANNOT = {"ExecutionNotRedrivable", "ExecutionDoesNotExist", "ExecutionLimitExceeded"}


class Asked(NamedTuple):
    """An execution's status and its input; None where AWS has forgotten it (after 90 days)."""

    status: str
    document: dict[str, Any]


@functools.cache
def _client() -> "SFNClient":
    return boto3.client("stepfunctions")


def asked_of(execution: str) -> Asked | None:
    """What an execution was asked for."""
    try:
        described = _client().describe_execution(executionArn=execution)
    except ClientError as error:
        if code_of(error) in {"ExecutionDoesNotExist", "InvalidArn"}:
            return None
        raise
    document = json.loads(described.get("input") or "{}")
    return Asked(described["status"], document if isinstance(document, dict) else {})


def redrive(execution: str) -> str | None:
    """Let an execution go on where it stopped; None, or why it cannot."""
    try:
        _client().redrive_execution(executionArn=execution)
    except ClientError as error:
        if code_of(error) not in _CANNOT:
            raise
        return str(error)
    return None
