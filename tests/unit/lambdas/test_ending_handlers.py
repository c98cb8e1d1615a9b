"""How a run ends: with a report, or with a report that says why there is none."""

import io
import json
import tarfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas import (
    build_jobs,
    claim_run,
    generate_responses,
    process_results,
    record_failure,
)
from nova_judge.aws import aws_clients, executions, runs_table
from nova_judge.errors import JudgeJobError, RequestError
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import INDEX, RunLayout
from nova_judge.records import S3Object
from nova_judge.runs.run import Run
from nova_judge.steps import run_folder
from nova_judge.steps.publish import JudgeFurther
from tests.made.topic import notified
from tests.unit.conftest import BUCKET, RECIPE, TABLE

EVENT = json.loads(
    (Path(__file__).parents[2] / "data" / "training_job_state_change.json").read_text()
)
FIRST, SECOND = "arn:execution:first", "arn:execution:second"
RUN = "pairs-0123456789ab"
RUBRIC_FREE = {"forward_output": "[[B>A]]", "backward_output": "[[A>B]]"}
ROWS = 4


@pytest.fixture
def claimed(account, context):
    """Claims the run for an execution and runs it up to the judge; the jobs' names."""

    def run(execution: str = FIRST, *, by_event: bool = True, jobs: int = 1) -> list[str]:
        recipe = load_recipe(RECIPE.format(rows=ROWS // jobs, shard_bytes=4_096), file="own.yaml")
        content = b"".join(
            json.dumps({"prompt": f"Question {n}?", "response_A": "a", "response_B": "b"}).encode()
            + b"\n"
            for n in range(ROWS)
        )
        version = account.put("inbox/own/pairs.jsonl", content + b"broken\n")
        record = Run(
            run_id=RUN,
            execution=execution,
            created="2026-11-21T18:00:00Z",
            input=S3Object(BUCKET, "inbox/own/pairs.jsonl", version, len(content) + 7),
            recipe=recipe,
            recipe_sha256=recipe.sha256,
            sources=("file", "file"),
        )
        event = {"run": msgspec.to_builtins(record), "by_event": by_event}
        assert claim_run.handler(event, context)["claimed"]
        shard = {"index": 0, "start": 0, "end": len(content) + 7}
        generate_responses.handler({"run_id": RUN, "shard": shard, "endpoints": []}, context)
        built = build_jobs.handler({"run_id": RUN, "region": "us-east-1"}, context)
        return [f"{job['request']['TrainingJobName']}-0" for job in built["jobs"]]

    return run


@pytest.fixture
def judged(account):
    """Puts what the container writes, as the job of that name."""

    def write(name: str, number: int = 0, rows: int = ROWS, content: bytes | None = None) -> None:
        key = f"{RunLayout(RUN).judge_output(number)}{name}/output/output.tar.gz"
        account.put(key, archive(rows) if content is None else content)

    return write


def archive(rows: int) -> bytes:
    """An `output.tar.gz` in which B wins every row in both orders."""
    columns = {"metrics": [repr(RUBRIC_FREE)] * rows, "predictions": [[]] * rows}
    details, packed = io.BytesIO(), io.BytesIO()
    pq.write_table(pa.table(columns), details)
    figures = {"a_scores": 0.0, "b_scores": 2.0 * rows, "winrate": 1.0}
    results = json.dumps({"results": {"custom|llm_judge_judge|0": figures}}).encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (
            ("run/eval_results/results_1.json", results),
            ("run/eval_results/details/m/t/details_x_1.parquet", details.getvalue()),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def ended(name: str, number: int = 0, **changes) -> dict:
    detail = {
        **EVENT["detail"],
        "TrainingJobName": name,
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{BUCKET}/{RunLayout(RUN).judge_output(number)}"
        },
        "ResourceConfig": {"InstanceType": "ml.g5.12xlarge", "InstanceCount": 1},
        **changes,
    }
    return {**EVENT, "detail": detail}


FAILED = {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: out of memory"}


def metrics(account) -> dict:
    return account.json(RunLayout(RUN).report_file("metrics.json"))


# --- ProcessResults ----------------------------------------------------------------------------


def test_a_completed_job_becomes_a_report(account, claimed, judged, context):
    (name,) = claimed()
    judged(name)
    assert process_results.handler(ended(name), context) == {"run_id": RUN, "status": "REPORTED"}
    found = metrics(account)
    assert found["rows"] == {
        "input": ROWS + 1,
        "rejected": 1,
        "generation_failed": 0,
        "judge_failed": 0,
        "judged": ROWS,
    }
    assert found["forward"]["b"] == found["backward"]["b"] == found["reconciled"]["b"] == ROWS
    item = account.run(RUN)
    assert item["status"] == "REPORTED"
    assert item["report"] == f"s3://{BUCKET}/runs/{RUN}/report/report.html"
    assert item["headline"].startswith("Inconclusive: Both orders name B on 4 and A on 0 of 4")
    assert item["headline"].endswith("1 of 5 lines were set aside and do not count.")
    assert [(m["run_id"], m["status"], m["headline"]) for m in notified()] == [
        (RUN, "REPORTED", item["headline"])
    ]


def test_the_same_event_twice_gives_the_same_bytes(account, claimed, judged, context):
    (name,) = claimed()
    judged(name)
    process_results.handler(ended(name), context)
    before = {key: account.read(key) for key in account.keys(f"runs/{RUN}/report/")}
    process_results.handler(ended(name), context)
    assert {key: account.read(key) for key in account.keys(f"runs/{RUN}/report/")} == before
    assert len(before) == 7
    assert len(notified()) == 1


def test_of_several_jobs_the_last_one_to_end_writes_the_report(account, claimed, judged, context):
    first, second = claimed(jobs=2)
    judged(second, 1, rows=2)
    waiting = process_results.handler(ended(second, 1), context)
    assert waiting["status"] == "1 of 2 jobs ended"
    assert account.keys(f"runs/{RUN}/report/") == []
    judged(first, 0, rows=2)
    assert process_results.handler(ended(first, 0), context)["status"] == "REPORTED"
    assert metrics(account)["rows"]["judged"] == ROWS
    assert metrics(account)["judge"]["jobs"] == [first, second]


def test_events_that_come_twice_count_no_row_twice(account, claimed, judged, context):
    names = claimed(jobs=2)
    for number, name in enumerate(names):
        judged(name, number, rows=2)
    said = [
        process_results.handler(ended(names[number], number), context)["status"]
        for number in (1, 1, 0, 1, 0)
    ]
    assert said == ["1 of 2 jobs ended"] * 2 + ["REPORTED"] * 3
    assert metrics(account)["rows"]["judged"] == ROWS
    assert metrics(account)["judge"]["jobs"] == names
    assert len(notified()) == 1


@pytest.mark.parametrize(
    ("meanwhile", "first_says"),
    [("write_outcome", "REPORTED"), ("read_outcomes", "1 of 2 jobs ended")],
)
def test_of_two_last_jobs_at_once_one_report_is_told(
    account, claimed, judged, context, monkeypatch, meanwhile, first_says
):
    """The second job's function runs as soon as the first has noted its end, or looked around."""
    names = claimed(jobs=2)
    for number, name in enumerate(names):
        judged(name, number, rows=2)
    step = getattr(run_folder, meanwhile)
    said = []

    def step_then_the_other(*args: object) -> object:
        result = step(*args)
        monkeypatch.setattr(run_folder, meanwhile, step)
        said.append(process_results.handler(ended(names[1], 1), context)["status"])
        return result

    monkeypatch.setattr(run_folder, meanwhile, step_then_the_other)
    said.append(process_results.handler(ended(names[0]), context)["status"])
    assert said == ["REPORTED", first_says]
    assert metrics(account)["rows"]["judged"] == ROWS
    assert [message["status"] for message in notified()] == ["REPORTED"]


def test_a_function_that_was_killed_over_its_part_leaves_it_to_the_last(
    account, claimed, judged, context, monkeypatch
):
    names = claimed(jobs=2)
    for number, name in enumerate(names):
        judged(name, number, rows=2)
    with monkeypatch.context() as patched:
        patched.setattr(process_results, "keep_ended", killed)
        with pytest.raises(SystemExit):
            process_results.handler(ended(names[0]), context)
    assert process_results.handler(ended(names[1], 1), context)["status"] == "REPORTED"
    assert metrics(account)["rows"]["judged"] == ROWS


def killed(*_: object) -> None:
    raise SystemExit


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_part_that_cannot_be_read_ends_the_run_with_its_reason_once(
    account, claimed, judged, context, order
):
    names = claimed(jobs=2)
    judged(names[0], 0, content=b"no archive")
    judged(names[1], 1, rows=2)
    said = [
        process_results.handler(ended(names[number], number), context)["status"]
        for number in (*order, 0)
    ]
    assert said[1:] == ["FAILED", "FAILED"]
    assert "damaged or cut off" in account.run(RUN)["cause"]
    assert metrics(account)["failure"]["stage"] == "results"
    assert [message["status"] for message in notified()] == ["FAILED"]


def test_a_late_event_of_a_job_before_a_redrive_fails_nothing(account, claimed, judged, context):
    first, second = claimed(jobs=2)
    again = f"{second[:-2]}-1"
    judged(again, 1, rows=2)
    process_results.handler(ended(again, 1), context)
    late = process_results.handler(ended(second, 1, **FAILED), context)
    assert late["status"] == "1 of 2 jobs ended"
    judged(first, rows=2)
    assert process_results.handler(ended(first), context)["status"] == "REPORTED"
    assert metrics(account)["judge"]["jobs"] == [first, again]


def test_a_late_wish_for_another_job_leaves_a_report_alone(
    account, claimed, judged, context, monkeypatch
):
    (name,) = claimed()
    judged(name)
    process_results.handler(ended(name), context)
    monkeypatch.setattr(process_results, "publish", lambda *_: JudgeFurther(1))
    assert process_results.handler(ended(name), context)["status"] == "superseded"
    assert account.run(RUN)["status"] == "REPORTED"


def test_a_report_of_a_run_that_another_execution_took_meanwhile_is_not_told(
    account, claimed, judged, context, monkeypatch
):
    (name,) = claimed()
    judged(name)
    publish = process_results.publish

    def publish_late(*args: object) -> object:
        published = publish(*args)
        runs_table.set_status(TABLE, RUN, runs_table.FAILED, error="ABORTED")
        runs_table.claim(TABLE, RUN, SECOND, "later", by_event=False)
        return published

    monkeypatch.setattr(process_results, "publish", publish_late)
    assert process_results.handler(ended(name), context)["status"] == "superseded"
    assert (account.run(RUN)["status"], notified()) == ("RUNNING", [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (FAILED, "Failed: AlgorithmError: out of memory"),
        (
            {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxWaitTimeExceeded"},
            "Stopped: no spot instance was free within the longest wait",
        ),
    ],
)
def test_a_job_that_ends_badly_leaves_a_report_that_says_so(
    account, claimed, context, changes, reason
):
    (name,) = claimed()
    result = process_results.handler(ended(name, **changes), context)
    assert result == {"run_id": RUN, "status": "FAILED"}
    found = metrics(account)
    assert found["status"] == "failed"
    assert found["failure"] == {"stage": "judge", "reason": f"judge job {name} {reason}"}
    assert found["win_rate"] is None
    item = account.run(RUN)
    assert (item["status"], item["error"]) == ("FAILED", "JudgeJobError")
    assert item["cause"].endswith(reason)
    assert notified()[0]["status"] == "FAILED"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is empty: the job left no file to read"),
        (b"no archive", "damaged or cut off"),
        (archive(ROWS + 1), "more lines than rows"),
    ],
)
def test_output_that_cannot_be_read_fails_the_run_with_its_cause(
    account, claimed, judged, context, content, words
):
    (name,) = claimed()
    if content is not None:
        judged(name, content=content)
    assert process_results.handler(ended(name), context)["status"] == "FAILED"
    assert words in account.run(RUN)["cause"]
    assert metrics(account)["failure"]["stage"] == "results"
    assert len(notified()) == 1


def test_rows_that_the_judge_left_out_are_judge_failures_and_the_sum_closes(
    account, claimed, judged, context
):
    (name,) = claimed()
    judged(name, rows=ROWS - 1)
    process_results.handler(ended(name), context)
    rows = metrics(account)["rows"]
    assert rows["judge_failed"] == 1
    assert rows["input"] == sum(rows.values()) - rows["input"]


def test_a_report_stays_a_report_when_nobody_can_be_told(
    account, claimed, judged, context, monkeypatch
):
    (name,) = claimed()
    judged(name)
    monkeypatch.setenv("TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:deleted")
    assert process_results.handler(ended(name), context)["status"] == "REPORTED"
    assert (account.run(RUN)["status"], notified()) == ("REPORTED", [])


def test_what_aws_cannot_do_for_a_moment_fails_no_run(
    account, claimed, judged, context, monkeypatch
):
    def slow_down(*_: object) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "PutObject")

    (name,) = claimed()
    judged(name)
    with monkeypatch.context() as patched:
        patched.setattr(process_results, "publish", slow_down)
        with pytest.raises(ClientError, match="SlowDown"):
            process_results.handler(ended(name), context)
    assert account.run(RUN)["status"] == "RUNNING"
    assert process_results.handler(ended(name), context)["status"] == "REPORTED"


def test_a_job_of_an_earlier_attempt_says_nothing_of_this_one(account, claimed, judged, context):
    (old,) = claimed()
    process_results.handler(ended(old, **FAILED), context)
    (new,) = claimed(SECOND, by_event=False)
    late = process_results.handler(ended(old, **FAILED), context)
    assert late == {"run_id": RUN, "status": "superseded"}
    assert account.run(RUN)["status"] == "RUNNING"
    judged(new)
    assert process_results.handler(ended(new), context)["status"] == "REPORTED"


def test_old_outcomes_do_not_fail_a_new_attempt_while_its_jobs_run(claimed, judged, context):
    _, old = claimed(jobs=2)
    process_results.handler(ended(old, 1, **FAILED), context)
    new, _ = claimed(SECOND, by_event=False, jobs=2)
    judged(new, rows=2)
    assert process_results.handler(ended(new), context)["status"] == "1 of 2 jobs ended"


def test_a_job_without_a_run_is_refused(account, context):
    with pytest.raises(JudgeJobError, match="no request or data set"):
        process_results.handler(ended("nova-judge-dev-x-0000-0-0"), context)


def test_a_job_of_somebody_else_is_refused(account, context):
    with pytest.raises(RequestError, match="not a run of ours"):
        process_results.handler(EVENT, context)


# --- RecordFailure -----------------------------------------------------------------------------


@pytest.fixture
def released(monkeypatch) -> list[str]:
    """The runs whose endpoints were given up."""
    runs: list[str] = []
    monkeypatch.setattr(
        record_failure, "release_leases", lambda table, prefix, owner, *_, **__: runs.append(owner)
    )
    return runs


def caught(error: str, message: str, execution: str = FIRST) -> dict:
    cause = json.dumps({"errorType": error, "errorMessage": message})
    return {"state": {"error": {"Error": error, "Cause": cause}}, "execution": execution}


def test_a_failure_is_told_written_down_and_frees_what_the_run_held(
    account, claimed, context, released
):
    claimed()
    event = caught("GenerationFailedError", "3 of 4 rows got no answer")
    said = record_failure.handler(event, context)
    assert said == {"error": "GenerationFailedError", "cause": "3 of 4 rows got no answer"}
    assert metrics(account)["failure"] == {
        "stage": "generation",
        "reason": "3 of 4 rows got no answer",
    }
    item = account.run(RUN)
    assert item["status"] == "FAILED"
    (message,) = notified()
    assert message == {
        "run_id": RUN,
        "status": "FAILED",
        "report": item["report"],
        "headline": "3 of 4 rows got no answer",
    }
    assert released == [RUN]
    assert runs_table.claim(TABLE, RUN, SECOND, "now", by_event=False).claimed


def test_a_failed_judge_job_is_told_once_and_stays_in_the_report(
    account, claimed, context, released
):
    (name,) = claimed()
    process_results.handler(ended(name, **FAILED), context)
    record_failure.handler(caught("SageMaker.AmazonSageMakerException", "it failed"), context)
    assert metrics(account)["judge"]["jobs"] == [name]
    assert [message["status"] for message in notified()] == ["FAILED"]
    assert released == [RUN]


def test_a_run_whose_report_failed_gives_up_what_its_judge_kept(
    account, claimed, context, released
):
    (name,) = claimed()
    process_results.handler(ended(name, **FAILED), context)
    assert released == []
    record_failure.handler({"executionArn": FIRST, "status": "FAILED"}, context)
    assert released == [RUN]
    assert [message["status"] for message in notified()] == ["FAILED"]


def test_the_catch_writes_the_same_report_before_the_job_s_own_event(
    account, claimed, context, released
):
    (name,) = claimed()
    description = {**ended(name, **FAILED)["detail"]}
    error = {"Error": "States.TaskFailed", "Cause": json.dumps(description)}
    record_failure.handler({"state": {"error": error}, "execution": FIRST}, context)
    first = metrics(account)
    assert first["judge"]["jobs"] == [name]
    process_results.handler(ended(name, **FAILED), context)
    assert metrics(account) == first
    assert len(notified()) == 1


def test_a_report_that_came_meanwhile_is_not_replaced(
    account, claimed, judged, context, monkeypatch
):
    (name,) = claimed()
    judged(name)

    def release(*_: object, **__: object) -> None:
        process_results.handler(ended(name), context)

    monkeypatch.setattr(record_failure, "release_leases", release)
    record_failure.handler({"executionArn": FIRST, "status": "ABORTED"}, context)
    assert account.run(RUN)["status"] == "REPORTED"
    assert metrics(account)["status"] != "failed"
    assert [message["status"] for message in notified()] == ["REPORTED"]


def test_a_run_that_was_never_claimed_leaves_only_why(account, context, released):
    said = record_failure.handler(caught("RecipeError", "no such recipe"), context)
    assert said == {"error": "RecipeError", "cause": "no such recipe"}
    assert released == []
    written = [key for key in account.keys("") if not key.startswith(INDEX)]
    assert {key.partition("/report/")[2] for key in written} == {"failure.json", "report.md"}


def test_a_run_claimed_and_not_yet_written_can_be_asked_for_again(account, context, released):
    runs_table.claim(TABLE, RUN, FIRST, "now", by_event=True)
    record_failure.handler(caught("ClientError", "SlowDown"), context)
    assert account.run(RUN)["status"] == "FAILED"


def test_an_aborted_execution_is_cleaned_up_after(account, claimed, context, released):
    claimed()
    event = {"executionArn": FIRST, "status": "ABORTED", "cause": None}
    said = record_failure.handler(event, context)
    assert said["error"] == "ABORTED"
    assert "start it again" in metrics(account)["failure"]["reason"]
    assert (account.run(RUN)["status"], released) == ("FAILED", [RUN])


def test_an_error_that_no_catch_sees_is_told_too(account, claimed, context, released):
    claimed()
    cause = "The state's output exceeds 262144 bytes"
    event = {"executionArn": FIRST, "status": "FAILED", "error": "States.DataLimitExceeded"}
    said = record_failure.handler({**event, "cause": cause}, context)
    assert said == {"error": "States.DataLimitExceeded", "cause": cause}
    assert metrics(account)["failure"]["reason"] == cause
    assert (account.run(RUN)["status"], released) == ("FAILED", [RUN])


def test_the_end_of_an_execution_does_not_replace_what_its_catch_told(account, claimed, context):
    claimed()
    record_failure.handler(caught("GenerationFailedError", "3 of 4 rows got no answer"), context)
    record_failure.handler({"executionArn": FIRST, "status": "FAILED", "error": "x"}, context)
    assert account.run(RUN)["error"] == "GenerationFailedError"


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_stopping_the_jobs_that_run_on_after_a_failure_keeps_its_reason(
    account, claimed, context, released, status
):
    (name,) = claimed()
    process_results.handler(ended(name, **FAILED), context)
    told, row = metrics(account)["failure"], account.run(RUN)
    record_failure.handler({"executionArn": FIRST, "status": status}, context)
    assert (metrics(account)["failure"], account.run(RUN)) == (told, row)
    assert released == [RUN]
    assert len(notified()) == 1


def test_a_second_end_after_a_redrive_is_told_anew(account, claimed, context, released):
    claimed()
    for status in ("ABORTED", "TIMED_OUT"):
        record_failure.handler({"executionArn": FIRST, "status": status}, context)
        assert account.run(RUN)["error"] == status


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED"])
def test_a_finished_report_is_never_replaced_by_a_failure(account, claimed, context, status):
    claimed()
    runs_table.set_status(TABLE, RUN, runs_table.REPORTED, report="s3://b/r", headline="B")
    record_failure.handler({"executionArn": FIRST, "status": status}, context)
    assert account.run(RUN)["status"] == "REPORTED"
    assert account.keys(f"runs/{RUN}/report/") == []


def test_an_old_execution_cannot_fail_the_run_that_another_has_taken(account, claimed, context):
    claimed()
    runs_table.set_status(TABLE, RUN, runs_table.FAILED)
    claimed(SECOND, by_event=False)
    record_failure.handler({"executionArn": FIRST, "status": "ABORTED"}, context)
    assert account.run(RUN)["status"] == "RUNNING"


def test_endpoints_are_given_up_even_if_the_report_cannot_be_written(
    account, claimed, context, released, monkeypatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("no report today")

    claimed()
    monkeypatch.setattr(record_failure.run_folder, "store_report", broken)
    with pytest.raises(RuntimeError, match="no report today"):
        record_failure.handler(caught("RecipeError", "x"), context)
    assert released == [RUN]
    assert account.run(RUN)["status"] == "FAILED"
    assert len(notified()) == 1


def test_the_reason_of_a_failed_child_is_told_instead_of_the_maps(context, account, monkeypatch):
    child = {"Error": "InputFileError", "Cause": '{"errorMessage": "line 3", "errorType": "X"}'}
    monkeypatch.setattr(executions, "first_failed_child", lambda execution: child)
    event = {
        "state": {"error": {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "map"}},
        "execution": FIRST,
    }
    assert record_failure.handler(event, context) == {"error": "X", "cause": "line 3"}


def test_a_child_that_cannot_be_read_hides_nothing(context, account):
    event = {
        "state": {"error": {"Error": "States.ExceedToleratedFailureThreshold", "Cause": "map"}},
        "execution": FIRST,
    }
    with Stubber(aws_clients.stepfunctions()) as stub:
        stub.add_client_error("list_map_runs", "AccessDeniedException")
        assert record_failure.handler(event, context)["cause"] == "map"
