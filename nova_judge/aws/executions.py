"""Executions of the state machine: listed, stopped, and what a map does not tell its parent."""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from nova_judge.aws.client_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_ENDED = {"ExecutionDoesNotExist", "ValidationException"}


@functools.cache
def _client() -> "SFNClient":
    return boto3.client("stepfunctions")


def first_failed_child(execution: str) -> dict[str, str] | None:
    """`{Error, Cause}` of the first child that failed in an execution's map runs."""
    for run in _client().list_map_runs(executionArn=execution)["mapRuns"]:
        failed = _client().list_executions(
            mapRunArn=run["mapRunArn"], statusFilter="FAILED", maxResults=1
        )["executions"]
        for child in failed:
            described = _client().describe_execution(executionArn=child["executionArn"])
            return {"Error": described.get("error", ""), "Cause": described.get("cause", "")}
    return None


def is_running(execution: str) -> bool:
    """True if an execution is still under way."""
    try:
        described = _client().describe_execution(executionArn=execution)
    except _client().exceptions.ExecutionDoesNotExist:
        return False
    return described["status"] in {"RUNNING", "PENDING_REDRIVE"}


def running(machine: str) -> Iterator[str]:
    """The machine's executions that are under way (ARNs); none without such a machine."""
    pages = _client().get_paginator("list_executions")
    try:
        for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING"):
            yield from (listed["executionArn"] for listed in page["executions"])
    except _client().exceptions.StateMachineDoesNotExist:
        return


def stop(execution: str, cause: str) -> None:
    """Stop an execution; one that ended meanwhile is fine."""
    try:
        _client().stop_execution(executionArn=execution, cause=cause)
    except ClientError as error:
        if code_of(error) not in _ENDED:
            raise
