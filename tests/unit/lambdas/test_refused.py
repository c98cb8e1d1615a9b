"""What fails before it is a run is told like any other failure, once, and leaves a report."""

import json

import pytest

from lambdas import record_failure
from nova_judge.aws import runs_table
from nova_judge.inputs.run_request import Wish, read_wish
from tests.made.topic import notified
from tests.unit.conftest import BUCKET, TABLE

EXECUTION = "arn:execution:first"
KEY = "inbox/pairwse/questions.jsonl"
DROPPED = {"bucket": {"name": BUCKET}, "object": {"key": KEY, "version-id": "1"}}
RUN = "refused-questions-296d3d031e8f"


def caught(state: dict, error: str = "RecipeError", message: str = "no recipe pairwse") -> dict:
    cause = json.dumps({"errorType": error, "errorMessage": message})
    return {"state": {**state, "error": {"Error": error, "Cause": cause}}, "execution": EXECUTION}


def test_a_dropped_file_that_cannot_be_evaluated_is_told_with_its_key_and_why(account, context):
    record_failure.handler(caught(DROPPED), context)

    assert notified() == [
        {
            "run_id": RUN,
            "status": "FAILED",
            "report": f"s3://{BUCKET}/runs/{RUN}/report/report.md",
            "headline": f"s3://{BUCKET}/{KEY}: no recipe pairwse",
            "input": f"s3://{BUCKET}/{KEY}",
        }
    ]
    assert account.json(f"runs/{RUN}/report/failure.json") == {
        "run_id": RUN,
        "execution": EXECUTION,
        "input": f"s3://{BUCKET}/{KEY}",
        "recipe": "pairwse",
        "error": "RecipeError",
        "cause": "no recipe pairwse",
        "stage": "recipe",
        "status": "failed",
    }
    page = account.read(f"runs/{RUN}/report/report.md").decode()
    assert page.startswith("# Nothing was evaluated: RecipeError\n")
    assert "    no recipe pairwse\n" in page


def test_the_event_that_follows_a_caught_failure_tells_nothing_again(account, context):
    record_failure.handler(caught(DROPPED), context)
    ended = {"executionArn": EXECUTION, "status": "FAILED", "input": json.dumps(DROPPED)}
    record_failure.handler(ended, context)

    assert len(notified()) == 1


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_an_execution_that_no_catch_saw_is_told_by_its_event(account, context, status):
    event = {"executionArn": EXECUTION, "status": status, "input": json.dumps(DROPPED)}
    record_failure.handler(event, context)

    (message,) = notified()
    assert (message["run_id"], message["input"]) == (RUN, f"s3://{BUCKET}/{KEY}")


def test_a_claim_that_failed_is_told_with_the_file_that_was_planned(account, context):
    item = {"bucket": BUCKET, "key": "inbox/own/q.jsonl", "version": "1", "size": 3}
    state = {"run": {"input": item, "recipe": {"name": "own"}}, "by_event": True}
    record_failure.handler(caught(state, "ClientError", "AccessDenied"), context)

    (message,) = notified()
    assert message["input"] == f"s3://{BUCKET}/inbox/own/q.jsonl"


def test_what_an_execution_has_claimed_is_no_refusal(account, context):
    runs_table.claim(TABLE, "q-0123456789ab", EXECUTION, "2026-11-21T18:00:00Z", by_event=True)
    runs_table.set_status(TABLE, "q-0123456789ab", runs_table.FAILED)
    event = {"executionArn": EXECUTION, "status": "FAILED", "input": json.dumps(DROPPED)}
    record_failure.handler(event, context)

    assert notified() == []
    assert account.keys("runs/") == []


@pytest.mark.parametrize(
    ("document", "wish"),
    [
        (DROPPED, Wish(f"s3://{BUCKET}/{KEY}", "pairwse")),
        ({"bucket": {"name": "b"}, "object": {"key": "inbox/q"}}, Wish("s3://b/inbox/q", "")),
        ({"input": "s3://b/k", "recipe": "rubric"}, Wish("s3://b/k", "rubric")),
        ({"recipe": "benchmark-mmlu"}, Wish("", "benchmark-mmlu")),
        ({"input": 5, "recipe": "rubric"}, Wish("", "")),
        ("text", Wish("", "")),
        (None, Wish("", "")),
    ],
)
def test_a_wish_is_read_from_whatever_was_asked(document, wish):
    assert read_wish(document) == wish
