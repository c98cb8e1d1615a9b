"""A judge that is asked by calls, against a server on loopback that pushes back."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_judge.aws import aws_clients, execution_meter
from nova_judge_local.emulator_settings import ChatServer
from tests.workflow.conftest import Account
from tests.workflow.judge_server import Judge, completion, judge_server, pairs
from tests.workflow.test_measures import emitted
from tests.workflow.test_sources import without_right

Start = Callable[..., Account]


@pytest.fixture
def judge() -> Iterator[tuple[Judge, str]]:
    with judge_server() as served:
        yield served


def own(here: Account, url: str, more: str = "") -> None:
    recipe = f"kind: model_judge\njudge:\n  model: {{openai: '{url}'}}\n{more}"
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/own.yaml", Body=recipe.encode())


def test_every_row_is_judged_in_both_orders_by_a_server_that_pushes_back(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    here = account()
    own(here, url, "shards: {bytes: 2000}\n")
    here.drop("pairs.jsonl", pairs(90), recipe="own")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert model.pushed_back > 0
    assert len(model.asked) == 180
    assert all("response_format" in request for request in model.asked)
    metrics = here.metrics()
    assert metrics["judge"]["model"] == "tiny"
    assert metrics["judge"]["stand_in"] is None
    assert metrics["judge"]["prompt"].startswith("pairwise (")
    assert metrics["rows"]["judged"] == 90
    # n % 3 = 0: "a" is shorter; 1: as long; 2: longer
    assert (metrics["reconciled"]["a"], metrics["reconciled"]["b"]) == (30, 30)
    assert here.jobs() == []


def test_a_fixed_rubric_by_a_model_without_schemas_and_controls(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    model.takes_schemas = False
    here = account()
    own(here, url, "  rubric: {detail: {asks: Is it detailed?}}\ncontrols: [same_answer]\n")
    here.drop("pairs.jsonl", pairs(30), recipe="own")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    metrics = here.metrics()
    assert metrics["rubric"] is not None
    assert metrics["rows"]["judged"] == 30
    assert (metrics["reconciled"]["a"], metrics["reconciled"]["b"]) == (10, 10)
    assert [control["control"] for control in metrics["controls"]] == ["same_answer"]


def test_rows_shown_again_are_asked_again_whatever_earlier_runs_have_stored(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    here = account()
    own(here, url, "controls: [repeat]\n")
    here.drop("pairs.jsonl", pairs(30), recipe="own")
    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED", execution
    assert len(model.asked) == 120
    assert here.metrics()["retest"]["rows"] == 30

    here.drop("again.jsonl", pairs(30), recipe="own")
    assert [execution.status for execution in here.ended(2)] == ["SUCCEEDED"] * 2
    assert len(model.asked) == 180


def test_a_panel_is_asked_the_same_rows_and_gives_one_verdict(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    here = account()
    members = "".join(f"    {name}: {{openai: '{url}-{name}'}}\n" for name in ("x", "y", "z"))
    recipe = f"kind: model_judge\njudge:\n  panel:\n{members}"
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/own.yaml", Body=recipe.encode())
    contrary = model.reply

    def reply(request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, told = contrary(request)
        if status == 200 and request["model"] == "tiny-z":
            return 200, completion('{"reasons": "", "verdict": "A=B"}')
        return status, told

    model.reply = reply  # type: ignore[method-assign]
    here.drop("pairs.jsonl", pairs(30), recipe="own")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert Counter(request["model"] for request in model.asked) == {
        "tiny-x": 60,
        "tiny-y": 60,
        "tiny-z": 60,
    }
    metrics = here.metrics()
    assert metrics["judge"]["model"] == "tiny-x + tiny-y + tiny-z"
    assert (metrics["reconciled"]["a"], metrics["reconciled"]["b"]) == (10, 10)
    panel = metrics["panel"]
    assert (panel["rule"], panel["unanimous"], panel["split"]) == ("majority", 10, 20)
    assert [one["judged"] for one in panel["judges"]] == [30, 30, 30]
    assert panel["split_rows"][0] == {"line": 1, "verdicts": ["B", "B", "tie"]}
    assert b"The panel" in here.report("report.html")


def test_a_judge_on_bedrock_answers_in_batch_from_the_recipes_threshold_on(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    model.in_flight = threading.Semaphore(1000)
    here = account(chat_server=ChatServer(url=url.partition("#")[0], model="stand-in"))
    recipe = (
        "kind: model_judge\njudge:\n  model: {bedrock: amazon.nova-pro-v1:0}\n"
        "  calls: {batch_from: 60}\ncontrols: [same_answer]\n"
    )
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/own.yaml", Body=recipe.encode())
    here.drop("pairs.jsonl", pairs(60), recipe="own")

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    (job,) = here.client("bedrock").list_model_invocation_jobs()["invocationJobSummaries"]
    assert (job["status"], job["modelInvocationType"]) == ("Completed", "Converse")
    metrics = here.metrics()
    assert metrics["rows"]["judged"] == 60
    assert (metrics["reconciled"]["a"], metrics["reconciled"]["b"]) == (20, 20)
    assert [control["control"] for control in metrics["controls"]] == ["same_answer"]


def test_a_judge_that_says_nothing_usable_fails_the_run_with_its_words(
    account: Start, judge: tuple[Judge, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model, url = judge
    monkeypatch.setattr(model, "reply", lambda _: (200, completion("I would rather not say.")))
    here = account()
    own(here, url)
    here.drop("pairs.jsonl", pairs(5), recipe="own")

    (execution,) = here.ended()

    assert execution.status == "FAILED"
    assert execution.error == "JudgeJobError"
    assert "the judge tiny gave no verdict on any of 5 rows" in (execution.cause or "")


def test_judging_is_measured_and_metered(
    account: Start, judge: tuple[Judge, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = judge
    here = account()
    own(here, url)
    here.drop("pairs.jsonl", pairs(40), recipe="own")
    (execution,) = here.ended()
    monkeypatch.setattr(aws_clients, "stepfunctions", lambda: here.client("stepfunctions"))
    use = execution_meter.use_of(execution.arn)
    assert use.transitions >= 20
    assert use.lambda_gb_seconds > 1  # PlanEvaluation alone has 3 GB
    values: dict[str, float] = {}
    for name, _, document in emitted(here):
        values[name] = values.get(name, 0) + sum(document[name])
    assert (values["JudgeReplies"], values["JudgeRepliesFailed"]) == (80, 0)
    assert values["Throttles"] > 0
    assert values["LimiterLevel"] > 0
    assert "RowsAnswered" not in values


def test_a_key_that_planning_may_not_read_is_refused_before_anybody_is_asked(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    here = account()
    secret = "nova-judge-local/127.0.0.1/own"
    here.client("secretsmanager").create_secret(Name=secret, SecretString="key")
    recipe = f"kind: model_judge\njudge:\n  model: {{openai: '{url}', secret: own}}\n"
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/own.yaml", Body=recipe.encode())
    here.drop("first.jsonl", pairs(3), recipe="own")
    (allowed,) = here.ended()
    assert allowed.status == "SUCCEEDED", allowed
    answered = len(model.asked)

    without_right(here, "PlanEvaluation", "secretsmanager:GetSecretValue")
    here.drop("second.jsonl", pairs(4), recipe="own")

    _, refused = here.ended(2)
    assert (refused.status, refused.error) == ("FAILED", "PreflightError")
    assert refused.cause is not None
    assert f"the secret {secret} cannot be read (AccessDenied" in refused.cause
    assert "key policy" in refused.cause
    assert len(model.asked) == answered


def test_a_judge_that_cannot_be_asked_fails_the_judging(
    account: Start, judge: tuple[Judge, str]
) -> None:
    model, url = judge
    model.reply = lambda _: (403, {"error": {"message": "no"}})  # type: ignore[method-assign]
    here = account()
    own(here, url)
    here.drop("pairs.jsonl", pairs(3), recipe="own")

    (execution,) = here.ended()

    assert (execution.status, execution.error) == ("FAILED", "JudgeJobError")
    assert here.metrics()["failure"]["stage"] == "judge"
