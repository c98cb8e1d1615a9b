"""Executions of the state machine: looked at, followed, stopped, redriven; failures inside maps."""

import json
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import code_of, passing

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_CANNOT = {"ExecutionNotRedrivable", "ExecutionDoesNotExist", "ExecutionLimitExceeded"}
POLL_S = 0.1
_STATE_S = 0.5
_LAST_EVENTS = 20
_ENTERED = "StateEntered"


def first_failed_child(execution: str) -> dict[str, str] | None:
    """`{Error, Cause}` of the first child that failed in an execution's map runs."""
    client = aws_clients.stepfunctions()
    for run in map_runs(execution):
        failed = client.list_executions(mapRunArn=run, statusFilter="FAILED", maxResults=1)[
            "executions"
        ]
        for child in failed:
            described = client.describe_execution(executionArn=child["executionArn"])
            return {"Error": described.get("error", ""), "Cause": described.get("cause", "")}
    return None


def map_runs(execution: str) -> Iterator[str]:
    """The map runs of an execution (ARNs): a run that judges job by job may have many."""
    pages = aws_clients.stepfunctions().get_paginator("list_map_runs")
    for page in pages.paginate(executionArn=execution):
        yield from (run["mapRunArn"] for run in page["mapRuns"])


def is_running(execution: str) -> bool:
    """True if an execution is still under way."""
    with passing("ExecutionDoesNotExist"):
        described = aws_clients.stepfunctions().describe_execution(executionArn=execution)
        return described["status"] in {"RUNNING", "PENDING_REDRIVE"}
    return False


def running(machine: str) -> Iterator[str]:
    """The machine's executions that are under way (ARNs); none without such a machine."""
    pages = aws_clients.stepfunctions().get_paginator("list_executions")
    with passing("StateMachineDoesNotExist"):
        for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING"):
            yield from (listed["executionArn"] for listed in page["executions"])


def stop(execution: str, cause: str) -> None:
    """Stop an execution; one that ended meanwhile is fine."""
    with passing("ExecutionDoesNotExist", "ValidationException"):
        aws_clients.stepfunctions().stop_execution(executionArn=execution, cause=cause)


def status_of(execution: str) -> str | None:
    """The status of an execution; None where AWS has forgotten it (after 90 days)."""
    with passing("ExecutionDoesNotExist", "InvalidArn"):
        return aws_clients.stepfunctions().describe_execution(executionArn=execution)["status"]
    return None


def redrive(execution: str) -> str | None:
    """Let an execution go on where it stopped; None, or why it cannot."""
    try:
        aws_clients.stepfunctions().redrive_execution(executionArn=execution)
    except ClientError as error:
        if code_of(error) not in _CANNOT:
            raise
        return str(error)
    return None


class Execution(NamedTuple):
    """One look at an execution; `state` is the last state entered."""

    status: str
    state: str
    error: str | None
    cause: str | None


def follow(client: "SFNClient", arn: str, every: float = POLL_S) -> Iterator[Execution]:
    """Look every so many seconds until the execution has ended; the last look tells how.

    Its history, which says in which state it is, is read twice a second at most.
    """
    state, read_at = "", -math.inf
    while True:
        described = client.describe_execution(executionArn=arn)
        running, now = described["status"] == "RUNNING", time.monotonic()
        if not running or now - read_at >= _STATE_S:
            state, read_at = entered_last(client, arn) or state, now
        cause = described.get("cause")
        yield Execution(
            described["status"], state, described.get("error"), _plain(cause) if cause else None
        )
        if not running:
            return
        time.sleep(every)


def entered_last(client: "SFNClient", arn: str) -> str | None:
    """The state that an execution entered last."""
    history = client.get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=_LAST_EVENTS
    )
    for event in history["events"]:
        if event["type"].endswith(_ENTERED):
            return event["stateEnteredEventDetails"]["name"]
    return None


def _plain(cause: str) -> str:
    """A function's failure is JSON text; its message is what a person wants to read."""
    try:
        fields = json.loads(cause)
    except ValueError:
        return cause
    if isinstance(fields, dict):
        return str(fields.get("errorMessage") or fields.get("FailureReason") or cause)
    return cause
