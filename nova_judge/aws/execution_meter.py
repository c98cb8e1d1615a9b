"""Transitions and function time of one execution, out of its history."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3

from nova_judge.recipe import catalog
from nova_judge.runs.meter import MEMORY_MB

_ENDED = ("TaskSucceeded", "TaskFailed", "TaskTimedOut")


class ExecutionUse(NamedTuple):
    """What an execution has used by now."""

    transitions: float
    lambda_gb_seconds: float


def use_of(execution: str) -> ExecutionUse:
    """Count an execution and the children of its maps."""
    transitions, seconds = 0, 0.0
    names: dict[int, str] = {}
    begun: dict[int, Any] = {}
    for event in _history(execution):
        here, before = event["id"], event.get("previousEventId", 0)
        if event["type"].endswith("StateEntered"):
            transitions += 1
            names[here] = event["stateEnteredEventDetails"]["name"]
            continue
        names[here] = names.get(before, "")
        if event["type"] in ("TaskScheduled", "TaskStarted"):
            begun[here] = begun.get(before, event["timestamp"])
        elif event["type"] in _ENDED and before in begun:
            took = (event["timestamp"] - begun[before]).total_seconds()
            seconds += took * MEMORY_MB.get(names[here], 0) / 1024
            # A failed try that is tried again is paid as a transition too.
            transitions += event["type"] != "TaskSucceeded"
    children = _children(execution)
    per_child = catalog.assumptions().transitions_per_shard.value
    return ExecutionUse(
        transitions + len(children) * per_child,
        seconds + sum(children) * MEMORY_MB["GenerateResponses"] / 1024,
    )


def _history(execution: str) -> Iterator[dict[str, Any]]:
    pages = _client().get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution, includeExecutionData=False):
        yield from page["events"]


def _children(execution: str) -> list[float]:
    """Seconds of each child that has ended, of all maps."""
    seconds = []
    for run in _client().list_map_runs(executionArn=execution)["mapRuns"]:
        pages = _client().get_paginator("list_executions")
        for page in pages.paginate(mapRunArn=run["mapRunArn"]):
            for child in page["executions"]:
                if "stopDate" in child:
                    seconds.append((child["stopDate"] - child["startDate"]).total_seconds())
    return seconds


@functools.cache
def _client() -> Any:  # noqa: ANN401 - stubs for three calls
    make: Any = boto3.client
    return make("stepfunctions")
