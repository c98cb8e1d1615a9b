"""Transitions and function time of one execution, out of its history."""

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3

from nova_judge.runs.meter import MEMORY_MB

MOST_READ = 20
"""Children of a map whose histories are read."""
_CALLED = {
    "GenerateShard": "GenerateResponses",
    "PrepareEndpointsAgain": "PrepareEndpoints",
    "BatchShard": "BatchResponses",
    "JudgeShard": "JudgeRows",
    "PrepareJudge": "PrepareEndpoints",
    "PrepareJudgeAgain": "PrepareEndpoints",
    "ReleaseJudge": "ReleaseEndpoints",
    "ReleaseHeldJudge": "ReleaseEndpoints",
}
"""States that call a function of another name than their own."""
_ENDED = ("TaskSucceeded", "TaskFailed", "TaskTimedOut")


class ExecutionUse(NamedTuple):
    """What an execution has used by now."""

    transitions: float
    lambda_gb_seconds: float


def use_of(execution: str) -> ExecutionUse:
    """Count an execution and the children of its maps.

    Of a map with many children some are read, and the others count like them on average.
    """
    uses = [_own_use(execution)]
    for run in _client().list_map_runs(executionArn=execution)["mapRuns"]:
        children = _ended_children(run["mapRunArn"])
        read = [_own_use(child) for child in children[:: len(children) // MOST_READ + 1]]
        share = len(children) / max(1, len(read))
        uses += [ExecutionUse(share * transitions, share * gb) for transitions, gb in read]
    return ExecutionUse(sum(use[0] for use in uses), sum(use[1] for use in uses))


def _own_use(execution: str) -> ExecutionUse:
    """Count an execution without its children; waiting between tasks costs nothing."""
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
            function = _CALLED.get(names[here], names[here])
            seconds += took * MEMORY_MB.get(function, 0) / 1024
            # A failed try that is tried again is paid as a transition too.
            transitions += event["type"] != "TaskSucceeded"
    return ExecutionUse(transitions, seconds)


def _history(execution: str) -> Iterator[dict[str, Any]]:
    pages = _client().get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution, includeExecutionData=False):
        yield from page["events"]


def _ended_children(map_run: str) -> list[str]:
    pages = _client().get_paginator("list_executions").paginate(mapRunArn=map_run)
    children = (child for page in pages for child in page["executions"])
    return [child["executionArn"] for child in children if "stopDate" in child]


@functools.cache
def _client() -> Any:  # noqa: ANN401 - stubs for three calls
    make: Any = boto3.client
    return make("stepfunctions")
