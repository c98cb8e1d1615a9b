"""Follows one execution of the state machine to its end."""

import json
import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

POLL_S = 0.1
_STATE_S = 0.5
_LAST_EVENTS = 20
_ENTERED = "StateEntered"


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
