"""One run is one execution's: by the conditional write that the table gives."""

import pytest

from nova_judge.aws import runs_table
from nova_judge.aws.runs_table import FAILED, JUDGE_FURTHER, REPORTED, RUNNING, Claim
from nova_judge.steps.run_index import read_index
from tests.unit.conftest import BUCKET, TABLE

pytestmark = pytest.mark.usefixtures("account")


def claim(execution: str, *, by_event: bool = True) -> Claim:
    return runs_table.claim(TABLE, "run", execution, "2026-11-21", by_event=by_event)


def test_of_twenty_events_one_gets_the_run_and_the_others_learn_whose_it_is():
    claims = [claim(f"arn:{number}") for number in range(20)]
    assert [c.claimed for c in claims] == [True] + [False] * 19
    assert {c.owner for c in claims} == {"arn:0"}


def test_the_same_execution_may_ask_again():
    assert claim("arn:1") == claim("arn:1") == Claim(True, "arn:1")


def test_an_event_never_takes_a_failed_run_and_a_person_may():
    claim("arn:1")
    runs_table.set_status(TABLE, "run", FAILED, error="JudgeJobError", cause="out of memory")
    assert claim("arn:2") == Claim(False, "arn:1")
    assert claim("arn:2", by_event=False) == Claim(True, "arn:2")
    assert claim("arn:3", by_event=False) == Claim(False, "arn:2")


@pytest.mark.parametrize("status", [RUNNING, REPORTED])
def test_nobody_takes_a_run_that_is_under_way_or_done(status):
    claim("arn:1")
    runs_table.set_status(TABLE, "run", status)
    assert claim("arn:2", by_event=False).claimed is False


def test_a_run_that_is_taken_anew_forgets_the_old_failure(account):
    claim("arn:1")
    runs_table.set_status(TABLE, "run", FAILED, error="x", cause="y", report="s3://old")
    claim("arn:2", by_event=False)
    assert account.run("run") == {
        "run_id": "run",
        "execution": "arn:2",
        "status": RUNNING,
        "created": "2026-11-21",
    }


def test_a_status_is_written_with_its_facts_beside_what_stands_there(account):
    claim("arn:1")
    runs_table.set_status(TABLE, "run", REPORTED, report="s3://b/report.html", headline="B better")
    item = account.run("run")
    assert (item["status"], item["execution"]) == (REPORTED, "arn:1")
    assert (item["report"], item["headline"]) == ("s3://b/report.html", "B better")


def test_an_executions_unfinished_run_is_found_among_many(account):
    for number in range(50):
        account.table.put_item(
            Item={"run_id": f"other-{number}", "execution": "arn:other", "status": RUNNING}
        )
    assert runs_table.unfinished_run(TABLE, "arn:1") is None
    claim("arn:1")
    assert runs_table.unfinished_run(TABLE, "arn:1") == ("run", None)
    runs_table.set_status(TABLE, "run", REPORTED)
    assert runs_table.unfinished_run(TABLE, "arn:1") is None


def test_a_run_that_somebody_else_has_taken_is_not_ours_to_fail():
    claim("arn:1")
    runs_table.set_status(TABLE, "run", FAILED)
    claim("arn:2", by_event=False)
    assert runs_table.unfinished_run(TABLE, "arn:1") is None
    assert runs_table.unfinished_run(TABLE, "arn:2") == ("run", None)


def test_a_run_is_asked_for_its_next_job_and_never_for_one_before_it(account):
    claim("arn:1")
    asked = [runs_table.ask_further(TABLE, "run", "arn:1", job) for job in (9, 10, 9, 2, 10, 11)]
    assert asked == [True, True, False, False, True, True]
    assert (account.run("run")["status"], account.run("run")["next_job"]) == (JUDGE_FURTHER, "11")


@pytest.mark.parametrize(
    ("status", "facts", "asked"),
    [
        (REPORTED, {}, False),
        (FAILED, {"error": "JudgeJobError"}, False),
        (FAILED, {"error": "ABORTED"}, True),  # it may go on by a redrive
    ],
)
def test_a_run_that_has_ended_is_asked_nothing(account, status, facts, asked):
    claim("arn:1")
    runs_table.set_status(TABLE, "run", status, **facts)
    assert runs_table.ask_further(TABLE, "run", "arn:1", 1) is asked
    assert (account.run("run")["status"] == status) is not asked


def test_another_execution_s_run_is_asked_nothing(account):
    claim("arn:1")
    assert runs_table.ask_further(TABLE, "run", "arn:0", 1) is False
    assert account.run("run")["status"] == RUNNING


def test_a_run_that_was_aborted_while_it_was_asked_for_a_job_may_be_taken_again():
    claim("arn:1")
    runs_table.ask_further(TABLE, "run", "arn:1", 1)
    assert claim("arn:2", by_event=False).claimed is False
    runs_table.set_status(TABLE, "run", FAILED, error="ABORTED", cause="by hand")
    runs_table.ask_further(TABLE, "run", "arn:1", 2)
    (entry,) = read_index(BUCKET, TABLE)
    assert (entry.status, entry.error, entry.cause) == (FAILED, "ABORTED", "by hand")
    assert claim("arn:2").claimed is False
    assert claim("arn:2", by_event=False).claimed is True
    (entry,) = read_index(BUCKET, TABLE)
    assert (entry.status, entry.execution) == (RUNNING, "arn:2")
