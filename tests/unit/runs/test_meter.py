"""Endpoint hours, transitions and function time are metered, and a bill is whole with them."""

import datetime
import json
from functools import partial
from types import SimpleNamespace

import pytest

from nova_judge.aws import aws_clients, execution_meter, runs_table
from nova_judge.cli.costs import costs_by_recipe
from nova_judge.findings.index_entry import IndexEntry
from nova_judge.folders import ROOT
from nova_judge.preflight.pricing import run_cost
from nova_judge.runs.usage import MEMORY_MB, EndpointLease, InstanceTime, Meter, endpoint_times
from tests.unit.conftest import TABLE
from tests.unit.preflight.test_run_cost import job, run, summary

MODEL = "qwen2.5-1.5b-instruct"
T0 = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)


note = partial(runs_table.note_lease, TABLE, "run", MODEL)
begin = partial(runs_table.begin_lease, TABLE, "run", MODEL)


def leases() -> dict[str, EndpointLease]:
    return runs_table.leases_of(runs_table.item_of(TABLE, "run") or {})


def test_a_lease_is_timed_from_its_request_to_its_first_end(account):
    begin(5.0)  # nobody's run
    assert runs_table.item_of(TABLE, "run") is None
    runs_table.claim(TABLE, "run", "arn:1", "2026-11-29", by_event=True)
    note("until", "9")  # it leased nothing
    assert leases() == {}
    begin(100.0)
    begin(200.0)
    note("instance_type", "ml.g5.xlarge")
    assert leases() == {MODEL: EndpointLease(100.0, "ml.g5.xlarge")}
    note("until", "700")
    note("until", "900")  # RecordFailure gives up once more
    assert leases() == {MODEL: EndpointLease(100.0, "ml.g5.xlarge", 700.0)}


def test_the_time_between_two_leases_of_one_run_is_not_counted(account):
    runs_table.claim(TABLE, "run", "arn:1", "2026-11-29", by_event=True)
    begin(100.0)
    note("instance_type", "ml.g5.xlarge")
    note("until", "700")
    begin(5000.0)  # its judge is the same model, or a redrive has it up again
    note("instance_type", "ml.g5.2xlarge")
    assert leases() == {MODEL: EndpointLease(4400.0, "ml.g5.2xlarge")}
    begin(5060.0)
    note("until", "5100")
    assert leases() == {MODEL: EndpointLease(4400.0, "ml.g5.2xlarge", 5100.0)}


def test_an_endpoint_that_never_came_up_costs_nothing():
    held = {"a": EndpointLease(100.0, "ml.g5.xlarge", 3700.0), "b": EndpointLease(100.0)}
    assert endpoint_times(held, 9000.0) == (InstanceTime("ml.g5.xlarge", 3600.0, 1, "a"),)
    running = {"a": EndpointLease(100.0, "ml.g5.xlarge")}
    assert endpoint_times(running, 1900.0) == (InstanceTime("ml.g5.xlarge", 1800.0, 1, "a"),)


def entered(number: int, name: str) -> dict:
    details = {"stateEnteredEventDetails": {"name": name}}
    return {"id": number, "type": "TaskStateEntered", "timestamp": T0, **details}


def step(number: int, kind: str, before: int, seconds: float) -> dict:
    at = T0 + datetime.timedelta(seconds=seconds)
    return {"id": number, "type": kind, "previousEventId": before, "timestamp": at}


def test_transitions_and_function_time_are_read_from_the_history(monkeypatch):
    history = [
        entered(1, "PlanEvaluation"),
        step(2, "TaskScheduled", 1, 0),
        step(3, "TaskStarted", 2, 1),
        step(4, "TaskFailed", 3, 3),
        step(5, "TaskScheduled", 4, 4),
        step(6, "TaskSucceeded", 5, 6),
        entered(7, "GenerateResponses"),
        {**entered(8, "Reported"), "type": "PassStateEntered"},
    ]
    child = [
        entered(1, "BatchShard"),
        step(2, "TaskScheduled", 1, 0),
        step(3, "TaskSucceeded", 2, 4),
        {**entered(4, "WaitForBatchShard"), "type": "WaitStateEntered"},
        {**step(5, "WaitStateExited", 4, 124), "type": "WaitStateExited"},
        entered(6, "BatchShard"),
        step(7, "TaskScheduled", 6, 124),
        step(8, "TaskSucceeded", 7, 125),
    ]
    ended = [{"executionArn": f"child {n}", "stopDate": T0} for n in range(50)]
    asked = []

    def pages(name, **request):
        if name == "list_map_runs":
            return [{"mapRuns": [{"mapRunArn": "arn"}]}, {"mapRuns": [{"mapRunArn": "further"}]}]
        if name == "list_executions":
            return [{"executions": [*ended, {"executionArn": "under way"}]}]
        asked.append(request["executionArn"])
        if request["executionArn"] == "arn:execution":
            return [{"events": history[:5]}, {"events": history[5:]}]
        return [{"events": child}]

    client = SimpleNamespace(
        get_paginator=lambda name: SimpleNamespace(paginate=partial(pages, name)),
    )
    monkeypatch.setattr(aws_clients, "stepfunctions", lambda: client)
    use = execution_meter.use_of("arn:execution")
    assert len(asked) == 1 + 2 * 17  # every third child of either map run
    assert use.transitions == pytest.approx(3 + 1 + 100 * 3)  # states, a try more, children
    assert use.lambda_gb_seconds == pytest.approx((3 + 2) * 3008 / 1024 + 100 * (4 + 1) * 2)


def test_a_bill_with_a_meter_names_nothing_unmetered():
    meter = Meter(
        endpoints=(InstanceTime("ml.g5.xlarge", 1800.0, 1, MODEL),),
        transitions=400.0,
        lambda_gb_seconds=600.0,
    )
    cost = run_cost(run(), summary(), [job(0)], meter, stand_in=False)
    assert cost is not None
    assert cost.actual is not None
    parts = {line.part: line.usd for line in cost.actual.lines}
    assert parts["endpoint"] == pytest.approx(0.704)
    assert parts["Step Functions"] == pytest.approx(0.01)
    assert parts["Lambda"] == pytest.approx(0.01, rel=0.01)
    assert cost.unmetered == ()
    bare = run_cost(run(), summary(), [job(0)], stand_in=False)
    assert bare is not None
    assert bare.unmetered == (f"endpoint {MODEL}", "Step Functions", "Lambda")


def test_costs_are_added_up_beside_the_estimates_of_the_same_runs():
    entries = [
        IndexEntry(
            run_id=f"r{number}",
            status="REPORTED",
            recipe=recipe,
            estimate_usd=2.0,
            actual_usd=usd,
            actual_parts={"judge": usd} if usd else {},
        )
        for number, (recipe, usd) in enumerate(
            [("pairwise", 1.5), ("pairwise", 2.5), ("pairwise", None), ("rubric", 9.0)]
        )
    ]
    rubric, pairwise = costs_by_recipe(entries)
    assert (rubric.recipe, rubric.actual_usd) == ("rubric", 9.0)
    assert (pairwise.runs, pairwise.metered) == (3, 2)
    assert (pairwise.estimated_usd, pairwise.estimated_of_metered_usd) == (6.0, 4.0)
    assert pairwise.actual_parts == {"judge": 4.0}


def test_the_memory_of_every_function_is_that_of_the_template():
    kept = {}
    for part in ("Evaluation", "Results"):
        path = ROOT / f"nova_judge_local/stacks/NovaJudge-local-{part}.json"
        for name, resource in json.loads(path.read_text("utf-8"))["Resources"].items():
            if resource["Type"] == "AWS::Lambda::Function":
                kept[name] = resource["Properties"].get("MemorySize", 128)
    for state, memory in MEMORY_MB.items():
        assert [kept[name] for name in kept if name.startswith(state)] == [memory], state
