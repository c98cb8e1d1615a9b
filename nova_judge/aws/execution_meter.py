"""Meters a run: transitions and function time out of an execution's history, and leases."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from nova_judge.aws import account, aws_clients, executions, runs_table
from nova_judge.check import NotRead
from nova_judge.runs.usage import MEMORY_MB, Meter, endpoint_times

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
    for run in executions.map_runs(execution):
        children = _ended_children(run)
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


def _history(execution: str) -> Iterator[Any]:
    pages = aws_clients.stepfunctions().get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution, includeExecutionData=False):
        yield from page["events"]


def _ended_children(map_run: str) -> list[str]:
    pages = aws_clients.stepfunctions().get_paginator("list_executions").paginate(mapRunArn=map_run)
    children = (child for page in pages for child in page["executions"])
    return [child["executionArn"] for child in children if "stopDate" in child]


def meter_of(table: str, run_id: str, execution: str) -> Meter:
    """The quantities by now; what cannot be read is left unmetered, and fails nothing."""
    item = runs_table.item_of(table, run_id) or {}
    use = account.read(use_of, execution)
    return Meter(
        endpoints=endpoint_times(runs_table.leases_of(item), time.time()),
        transitions=None if isinstance(use, NotRead) else use.transitions,
        lambda_gb_seconds=None if isinstance(use, NotRead) else use.lambda_gb_seconds,
    )
