"""`nova-judge runs` against a kept emulated stage with runs in five states."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nova_judge.cli import stop
from nova_judge.findings.run_events import RunEvent
from nova_judge_local.emulator_settings import EndpointFault, JobFault
from tests.made.command_line import forked
from tests.workflow.conftest import Account, lines
from tests.workflow.test_endpoints import drop, entered, wait_for_end, wait_until

Start = Callable[..., Account]
PAIR = {"response_A": "One.", "response_B": "Two.", "reference": "Two."}


def command(here: Account, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**here.environment(), "COLUMNS": "300", "BROWSER": "true"}
    asked = ["runs", *arguments, "--stage", "local"]
    return forked(asked, environment, prepare=lambda: setattr(stop, "QUIET_S", 0.5))


def document(here: Account, *arguments: str) -> Any:
    done = command(here, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def pairs(here: Account, folder: Path, name: str, recipe: str = "pairwise") -> str:
    """Drop ready pairs and wait for the end of their execution, whose ARN it gives."""
    before = {e["executionArn"] for e in executions(here)}
    content = lines(*({"prompt": f"{name} {n}?", **PAIR} for n in range(8)))
    here.drop(f"{name}.jsonl", content, recipe=recipe, folder=folder)
    (arn,) = wait_until(lambda: {e["executionArn"] for e in executions(here)} - before)
    wait_for_end(here, arn)
    return str(arn)


def executions(here: Account) -> list[dict[str, Any]]:
    machine = here.outputs["StateMachineArn"]
    return list(here.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])


def keep_events(here: Account) -> None:
    """A rule of a user's own: our events go into a queue."""
    queue = here.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{queue.rpartition('/')[2]}"
    pattern = {"source": ["nova-judge"], "detail-type": [{"prefix": "Nova Judge Run "}]}
    events = here.client("events")
    events.put_rule(Name="told", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="told", Targets=[{"Id": "told", "Arn": arn}])


def kept_events(here: Account) -> list[tuple[str, RunEvent]]:
    sqs = here.client("sqs")
    queue = sqs.get_queue_url(QueueName="told")["QueueUrl"]
    messages: list[dict[str, Any]] = []
    while got := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        messages += got
        for message in got:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    events = [json.loads(message["Body"]) for message in messages]
    return [(event["detail-type"], msgspec.convert(event["detail"], RunEvent)) for event in events]


@pytest.fixture
def stage(account: Start, tmp_path: Path) -> Account:
    """A run with a report, one whose judge job failed, one refused, one stopped, one under way."""
    here = account(
        job_faults=(JobFault(job="failing"),),
        endpoint_faults=(EndpointFault(latency_s=90.0),),
    )
    keep_events(here)
    pairs(here, tmp_path, "fine")
    pairs(here, tmp_path, "failing")
    pairs(here, tmp_path, "refused", recipe="no-such-recipe")
    stopped = drop(here, tmp_path, "stopped")
    wait_until(lambda: "GenerateResponses" in entered(here, stopped))
    here.client("stepfunctions").stop_execution(executionArn=stopped, cause="a person did")
    under_way = drop(here, tmp_path, "under-way", first=5)
    wait_until(lambda: "GenerateResponses" in entered(here, under_way))
    return here


def listed(stage: Account) -> dict[str, Any]:
    """The runs of the stage by the beginning of their ids."""
    return {run["run_id"].rsplit("-", 1)[0]: run for run in document(stage, "list")["runs"]}


def error_of(stage: Account, name: str) -> str | None:
    return next(run.get("error") for run in stage.runs() if run["run_id"].startswith(f"{name}-"))


def test_runs_in_five_states_are_listed_shown_and_dealt_with(stage: Account) -> None:
    wait_until(lambda: error_of(stage, "stopped") == "ABORTED")
    by_name = listed(stage)
    they_are_listed(stage, by_name)
    they_were_told(stage)
    they_are_shown(stage, by_name)
    they_are_dealt_with(stage)


def they_are_listed(stage: Account, by_name: dict[str, Any]) -> None:
    assert {name: run["status"] for name, run in by_name.items()} == {
        "fine": "REPORTED",
        "failing": "FAILED",
        "refused-refused": "FAILED",
        "stopped": "FAILED",
        "under-way": "RUNNING",
    }
    fine, failing = by_name["fine"], by_name["failing"]
    assert (fine["judged"], fine["rows"], fine["verdict"]) == (8, 8, "B better")
    assert fine["stand_in"].startswith("reference (SQuAD")
    assert failing["error"] == "JudgeJobError"
    assert "injected failure" in failing["cause"]
    assert by_name["refused-refused"]["error"] == "RecipeError"
    assert by_name["stopped"]["error"] == "ABORTED"
    table = command(stage, "list").stdout
    assert "5 of 5 runs in stage local" in table
    assert "(a stand-in judged) B is better" in table
    only = document(stage, "list", "--status", "failed", "--recipe", "pairwise")["runs"]
    assert {run["run_id"] for run in only} == {failing["run_id"], by_name["stopped"]["run_id"]}


def they_were_told(stage: Account) -> None:
    told = [
        (event.run.run_id.rpartition("-")[0], kind.removeprefix("Nova Judge Run "))
        for kind, event in kept_events(stage)
        if event.stage == "local"
    ]
    assert sorted(told) == [
        ("failing", "Failed"),
        ("failing", "Started"),
        ("fine", "Decided"),
        ("fine", "Judged"),
        ("fine", "Started"),
        ("refused-refused", "Failed"),
        ("stopped", "Failed"),
        ("stopped", "Started"),
        ("under-way", "Started"),
    ]


def they_are_shown(stage: Account, by_name: dict[str, Any]) -> None:
    failing = by_name["failing"]
    shown = document(stage, "show", "under-way")
    assert shown["state"] in {"GenerateResponses", "GenerateShard"}
    assert shown["progress"]["answered"] == {"A": 0, "B": 0}
    assert shown["progress"]["rows"] == 3
    shown = document(stage, "show", failing["run_id"])
    assert shown["next_command"] == f"nova-judge runs logs {failing['run_id']} --stage local"
    assert [job["status"] for job in shown["progress"]["jobs"]] == ["Failed"]
    said = command(stage, "show", "refused").stdout
    assert "Next: nova-judge request --recipe FILE.yaml" in said
    assert command(stage, "show", "f").stderr.startswith("RunStateError: 2 runs begin with 'f': ")
    assert command(stage, "show", "x").stderr.startswith("RunStateError: stage local has no run")

    found = document(stage, "logs", "fine")["lines"]
    assert {"ClaimRun", "GenerateResponses", "BuildJobs", "ProcessResults"} <= {
        line["source"] for line in found
    }
    assert [line["at"] for line in found] == sorted(line["at"] for line in found)
    assert all("fine-" in line["text"] for line in found)

    link = document(stage, "open", "fine")["url"]
    assert link.startswith(f"{stage.emulator.endpoint_url}/{stage.bucket}/runs/fine-")
    assert "X-Amz-Expires=3600" in link
    assert command(stage, "open", "under-way").returncode == 3


def they_are_dealt_with(stage: Account) -> None:
    assert command(stage, "rm", "under-way", "--yes").returncode == 3
    cancelled = command(stage, "cancel", "under-way", "--yes")
    assert cancelled.returncode == 0, cancelled.stdout + cancelled.stderr
    assert "Nothing is under way any more" in cancelled.stdout
    wait_until(lambda: error_of(stage, "under-way") == "ABORTED")
    assert listed(stage)["under-way"]["error"] == "ABORTED"
    assert "Nothing of" in command(stage, "cancel", "under-way").stdout
    assert document(stage, "cancel", "under-way")["stopped"] == []
    assert command(stage, "retry", "fine").returncode == 3

    again = document(stage, "retry", "failing")
    assert again["redriven"] is False
    wait_for_end(stage, again["execution"])
    assert stage.describe(again["execution"]).error == "JudgeJobError"
    watched = command(stage, "watch", "fine", "--json")
    assert watched.returncode == 0
    assert json.loads(watched.stdout.splitlines()[-1])["status"] == "REPORTED"
    assert command(stage, "watch", "failing").returncode == 3

    assert document(stage, "rm", "fine", "--yes")["deleted"] > 10
    assert not any("fine-" in key for key in stage.keys("runs/"))
    assert "fine" not in {
        run["run_id"].rsplit("-", 1)[0] for run in document(stage, "list")["runs"]
    }
