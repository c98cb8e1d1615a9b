"""No way out of the state machine leaves an endpoint or a job behind."""

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nova_judge.layout import UNSTARTED
from nova_judge_local.emulator_settings import EndpointFault, JobFault
from tests.made.command_line import forked
from tests.workflow.conftest import LOOK_EVERY_S, ROOT, Account, Execution

Start = Callable[..., Account]
ABORTED_IN = (
    "PlanEvaluation",
    "ClaimRun",
    "PrepareEndpoints",
    "WaitForEndpoints",
    "GenerateResponses",
    "ReleaseEndpoints",
    "BuildJobs",
    "RunJudgeJobs",
    "ReadReport",
)
QUESTIONS = (ROOT / "examples" / "questions.jsonl").read_bytes().splitlines(keepends=True)


def drop(
    here: Account, folder: Path, mark: str = "questions", first: int = 0, count: int = 3
) -> str:
    """Upload some questions without starting anything, and start an execution on them."""
    content = b"".join(QUESTIONS[first : first + count])
    known = folder / "known.jsonl"
    known.write_bytes(content)
    here.emulator.tell_judge(known)
    key = f"{UNSTARTED}{mark}"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=content)
    return here.start({"input": f"s3://{here.bucket}/{key}", "recipe": "pairwise"})


def wait_until(what: Callable[[], Any], seconds: float = 40.0, every: float = 0.02) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(every)
    raise AssertionError("it never came")


def entered(here: Account, arn: str) -> set[str]:
    """The states that an execution has entered, and the types of its events."""
    events = here.client("stepfunctions").get_execution_history(executionArn=arn, maxResults=1000)
    details = [event.get("stateEnteredEventDetails", {}) for event in events["events"]]
    names = {detail["name"] for detail in details if "name" in detail}
    return names | {event["type"] for event in events["events"]}


def has_ended(here: Account, arn: str) -> bool:
    return here.describe(arn).status != "RUNNING"


def wait_for_end(here: Account, arn: str) -> Execution:
    """How it ended."""
    wait_until(lambda: has_ended(here, arn), every=LOOK_EVERY_S)
    return here.describe(arn)


def abort_in(here: Account, arn: str, state: str) -> bool:
    """Stop an execution when it enters a state; false where it was quicker and ended by itself."""
    awaited = {state, "ExecutionSucceeded", "ExecutionFailed"}
    wait_until(lambda: awaited & entered(here, arn))
    with contextlib.suppress(ClientError):
        here.client("stepfunctions").stop_execution(executionArn=arn, cause="a person did")
    return wait_for_end(here, arn).status == "ABORTED"


def invoke(here: Account, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function of the stacks by the output that names it."""
    answer = here.client("lambda").invoke(
        FunctionName=here.outputs[f"{function}Function"], Payload=json.dumps(event)
    )
    return json.loads(answer["Payload"].read())


def jobs_under_way(here: Account) -> list[str]:
    return [
        job["TrainingJobName"] for job in here.jobs() if job["TrainingJobStatus"] == "InProgress"
    ]


def nothing_is_left(here: Account) -> bool:
    leases = [run for run in here.runs() if run["run_id"].startswith("endpoint/")]
    return not (here.endpoints() or jobs_under_way(here) or leases)


def test_an_abort_at_any_state_leaves_no_endpoint_and_no_job(
    account: Start, tmp_path: Path
) -> None:
    here = account(endpoint_start_s=0.5)
    aborted = 0
    for number, state in enumerate(ABORTED_IN):
        arn = drop(here, tmp_path, state, first=3 * number)
        aborted += abort_in(here, arn, state)
        wait_until(lambda: nothing_is_left(here))
    assert aborted >= len(ABORTED_IN) - 2


@pytest.mark.parametrize("again", [False, True], ids=["before the shards", "of a shard"])
def test_an_endpoint_that_comes_after_the_abort_goes_again(
    account: Start, tmp_path: Path, again: bool
) -> None:
    """The function is at work when its execution is stopped; the watchdog is not asked."""
    slow = EndpointFault(creation_s=2.0, latency_s=1.0)
    here = account(endpoint_faults=(slow,), endpoint_start_s=0.1)
    arn = drop(here, tmp_path, count=len(QUESTIONS))
    names = wait_until(here.endpoints)
    if again:
        wait_until(lambda: here.emulator.answered() > 0)
        here.client("sagemaker").delete_endpoint(EndpointName=names[0])
        wait_until(lambda: len(here.endpoints()) == 1)
        time.sleep(1.0)
    here.client("stepfunctions").stop_execution(executionArn=arn, cause="a person did")
    time.sleep(2.5)
    wait_until(lambda: nothing_is_left(here), 10.0)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ({"endpoint_faults": (EndpointFault(creation="no_capacity"),)}, "EndpointError"),
        ({"endpoint_faults": (EndpointFault(creation="refused"),)}, "EndpointError"),
        ({"endpoint_faults": (EndpointFault(status=400, every=1),)}, "GenerationFailedError"),
        ({"job_faults": (JobFault(outcome="failed"),)}, "JudgeJobError"),
    ],
)
def test_a_failure_leaves_no_endpoint_and_no_job(
    account: Start, tmp_path: Path, faults: Any, error: str
) -> None:
    here = account(**faults)
    arn = drop(here, tmp_path)
    execution = wait_for_end(here, arn)
    assert (execution.status, execution.error) == ("FAILED", error), execution
    wait_until(lambda: nothing_is_left(here))


def test_without_capacity_the_next_instance_type_serves(account: Start, tmp_path: Path) -> None:
    fault = EndpointFault(endpoint="1-5b", creation="no_capacity", times=1)
    here = account(endpoint_faults=(fault,))
    arn = drop(here, tmp_path)
    tried = set()

    def note_configs() -> bool:
        for name in here.endpoints():
            # An endpoint without capacity is deleted, maybe between the two looks.
            with contextlib.suppress(ClientError):
                described = here.client("sagemaker").describe_endpoint(EndpointName=name)
                if "1-5b" in name:
                    tried.add(described["EndpointConfigName"])
        return "GenerateResponses" in entered(here, arn) or has_ended(here, arn)

    wait_until(note_configs)
    wait_for_end(here, arn)
    assert len(tried) == 2
    assert here.describe(arn).error != "EndpointError"


def test_the_watchdog_leaves_a_running_run_alone_and_ends_what_has_no_run(
    account: Start, tmp_path: Path
) -> None:
    here = account(endpoint_faults=(EndpointFault(latency_s=1.0),))
    arn = drop(here, tmp_path)
    wait_until(lambda: "GenerateResponses" in entered(here, arn))
    assert invoke(here, "WatchEndpoints", {}) == {
        "leases_ended": [],
        "endpoints_deleted": [],
        "jobs_stopped": [],
    }
    invoke(here, "PrepareEndpoints", {"run_id": "never-ran", "endpoints": ["qwen2.5-7b-instruct"]})
    watched = invoke(here, "WatchEndpoints", {})
    assert watched["leases_ended"] == ["never-ran on nova-judge-local-qwen2-5-7b-instruct"]
    wait_for_end(here, arn)
    wait_until(lambda: nothing_is_left(here))


def test_a_repeated_run_asks_for_nothing_that_is_stored(account: Start, tmp_path: Path) -> None:
    here = account(job_faults=(JobFault(outcome="failed", times=1),))
    first = drop(here, tmp_path)
    wait_for_end(here, first)
    chunks = [key for key in here.keys("answers/") if "/chunks/" in key]
    assert here.describe(first).error == "JudgeJobError"
    document = {"input": f"s3://{here.bucket}/{UNSTARTED}questions", "recipe": "pairwise"}
    second = here.start(document)
    wait_for_end(here, second)
    assert [key for key in here.keys("answers/") if "/chunks/" in key] == chunks
    assert len(chunks) == 2


def test_a_person_may_keep_an_endpoint_up_and_look_at_it(account: Start) -> None:
    here = account()
    environment = {**here.environment(), "COLUMNS": "200"}

    def run(*words: str) -> str:
        ended = forked(("endpoints", *words, "--stage", "local"), environment)
        return ended.stdout + ended.stderr

    assert "in service for 2 h" in run("up", "qwen2.5-7b-instruct", "--hours", "2")
    assert invoke(here, "WatchEndpoints", {})["leases_ended"] == []
    shown = run("status")
    assert re.search(r"qwen2\.5-7b-instruct +in service +ml\.g5\.2xlarge .* person/", shown), shown
    assert "qwen2.5-7b-instruct: being deleted" in run("down")
    wait_until(lambda: nothing_is_left(here))
    assert "nobody leases it" in run("down", "qwen2.5-7b-instruct")
    assert "there are qwen2.5" in run("up", "gpt-2")


def test_an_endpoint_that_goes_away_while_it_is_asked_is_prepared_again(
    account: Start, tmp_path: Path
) -> None:
    here = account(endpoint_faults=(EndpointFault(endpoint="1-5b", latency_s=1.5),))
    arn = drop(here, tmp_path, count=len(QUESTIONS))
    wait_until(lambda: "GenerateResponses" in entered(here, arn))
    name = "nova-judge-local-qwen2-5-1-5b-instruct"
    wait_until(lambda: here.emulator.answered() > len(QUESTIONS))

    def born() -> Any:
        found = here.client("sagemaker").list_endpoints()["Endpoints"]
        return next((e["CreationTime"] for e in found if e["EndpointName"] == name), None)

    first = born()
    here.client("sagemaker").delete_endpoint(EndpointName=name)
    wait_until(lambda: born() not in (None, first))
    wait_for_end(here, arn)
    run_id = here.runs()[0]["run_id"]
    responses = here.read(f"runs/{run_id}/responses/A/00000.jsonl").splitlines()
    assert len(responses) == len(QUESTIONS)
    assert not any(b'"failed"' in line for line in responses)
    wait_until(lambda: nothing_is_left(here))
