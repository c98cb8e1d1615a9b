"""A judge on an endpoint of the run: it is there while it is asked, and nothing of it is left."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_judge.layout import RECIPES, UNSTARTED
from nova_judge_local.emulator_settings import ChatServer, EndpointFault
from tests.workflow.conftest import Account
from tests.workflow.judge_server import Judge, judge_server, pairs
from tests.workflow.test_endpoints import (
    abort_in,
    has_ended,
    nothing_is_left,
    wait_for_end,
    wait_until,
)

Start = Callable[..., Account]
QWEN = "{endpoint: qwen2.5-7b-instruct}"
OWN = "{weights: Qwen/Qwen2.5-1.5B-Instruct, revision: main, instance_types: [ml.g5.xlarge]}"
ABORTED_IN = ("PrepareJudge", "WaitForJudge", "JudgeRows", "CollectVerdicts", "ReadReport")


@pytest.fixture
def judging() -> Iterator[tuple[Judge, dict[str, Any]]]:
    """The judge that all endpoints of the account serve, and the account's settings."""
    with judge_server() as (model, url):
        model.in_flight = threading.Semaphore(1000)
        server = ChatServer(url=url.partition("#")[0], model="stand-in")
        yield model, {"chat_server": server, "endpoint_start_s": 0.3}


def own(here: Account, judge: str, more: str = "") -> None:
    recipe = f"kind: model_judge\njudge:\n{judge}\n{more}"
    key = f"{RECIPES}own.yaml"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=recipe.encode())


def start(here: Account, rows: int, mark: str = "pairs") -> str:
    key = f"{UNSTARTED}{mark}"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=pairs(rows))
    return here.start({"input": f"s3://{here.bucket}/{key}", "recipe": "own", "no_cache": True})


def succeed(here: Account, rows: int) -> str:
    arn = start(here, rows)
    wait_for_end(here, arn)
    assert here.describe(arn).status == "SUCCEEDED", here.describe(arn)
    return arn


def is_clean(here: Account) -> bool:
    sagemaker = here.client("sagemaker")
    made = sagemaker.list_endpoint_configs(NameContains="-own-")["EndpointConfigs"]
    made += sagemaker.list_models(NameContains="-own-")["Models"]
    return not made and nothing_is_left(here)


@pytest.mark.parametrize("judge", [QWEN, OWN], ids=["of the catalogue", "of own weights"])
def test_a_judge_on_an_endpoint_ends_in_a_report_with_its_price_and_leaves_nothing(
    account: Start, judging: tuple[Judge, dict[str, Any]], judge: str
) -> None:
    model, settings = judging
    here = account(**settings)
    own(here, f"  model: {judge}", "controls: [same_answer]\n")

    succeed(here, 60)

    assert len(model.asked) == 180  # 60 rows in both orders, 60 of the control in their only one
    metrics = here.metrics()
    assert (metrics["reconciled"]["a"], metrics["reconciled"]["b"]) == (20, 20)
    assert metrics["judge"]["stand_in"] is not None
    (line,) = (
        one for one in metrics["cost"]["estimate"]["likely"]["lines"] if one["part"] == "endpoint"
    )
    assert line["usd"] > 0
    wait_until(lambda: is_clean(here))
    (run,) = (run for run in here.runs() if "execution" in run)
    noted = {name.rpartition("/")[2] for name in run if name.startswith("lease/")}
    assert noted == {"since", "until", "instance_type"}


def test_one_judge_of_a_panel_is_up_at_a_time(
    account: Start, judging: tuple[Judge, dict[str, Any]]
) -> None:
    model, settings = judging
    here = account(**settings)
    own(here, f"  panel:\n    small: {OWN}\n    large: {QWEN}")
    seen: set[int] = set()
    arn = start(here, 60)

    def has_ended_seen() -> bool:
        listed = here.client("sagemaker").list_endpoints()["Endpoints"]
        seen.add(sum(one["EndpointStatus"] != "Deleting" for one in listed))
        return has_ended(here, arn)

    wait_until(has_ended_seen)
    assert here.describe(arn).status == "SUCCEEDED", here.describe(arn)
    assert seen <= {0, 1}
    assert 1 in seen
    assert len(model.asked) == 240
    wait_until(lambda: is_clean(here))


def test_an_abort_at_any_state_of_judging_leaves_nothing(
    account: Start, judging: tuple[Judge, dict[str, Any]]
) -> None:
    _, settings = judging
    here = account(**settings)
    own(here, f"  model: {OWN}")
    aborted = []
    for state in ABORTED_IN:
        arn = start(here, 60, mark=state)
        aborted += [state] if abort_in(here, arn, state) else []
        wait_until(lambda: nothing_is_left(here))
    assert set(aborted) >= {"PrepareJudge", "WaitForJudge", "JudgeRows"}


def test_a_judge_that_goes_away_while_it_is_asked_is_prepared_again(
    account: Start, judging: tuple[Judge, dict[str, Any]]
) -> None:
    model, settings = judging
    here = account(**settings, endpoint_faults=(EndpointFault(latency_s=1.0),))
    own(here, f"  model: {QWEN}")
    arn = start(here, 90)
    wait_until(lambda: len(model.asked) > 10)
    (name,) = here.endpoints()
    here.client("sagemaker").delete_endpoint(EndpointName=name)
    wait_for_end(here, arn)
    assert here.describe(arn).status == "SUCCEEDED", here.describe(arn)
    assert here.metrics()["rows"]["judged"] == 90
    wait_until(lambda: is_clean(here))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointFault(creation="no_capacity"), "EndpointError"),
        (EndpointFault(status=400, every=1), "JudgeJobError"),
    ],
)
def test_a_judge_that_cannot_be_had_or_asked_fails_the_run_and_leaves_nothing(
    account: Start, judging: tuple[Judge, dict[str, Any]], fault: EndpointFault, error: str
) -> None:
    _, settings = judging
    here = account(**settings, endpoint_faults=(fault,))
    own(here, f"  model: {QWEN}")
    arn = start(here, 12)
    wait_for_end(here, arn)
    assert here.describe(arn).error == error, here.describe(arn)
    wait_until(lambda: is_clean(here))


def test_judging_that_stops_early_keeps_its_endpoint_between_the_jobs_and_then_gives_it_up(
    account: Start, judging: tuple[Judge, dict[str, Any]], tmp_path: Path
) -> None:
    model, settings = judging
    here = account(**settings)
    own(here, f"  model: {QWEN}\n  max_rows_per_job: 40", "stop: when_decided\n")
    arn = succeed(here, 120)
    assert len(model.asked) == 240  # as many a as b: no job decides
    made = [
        event
        for event in here.client("stepfunctions").get_execution_history(
            executionArn=arn, maxResults=1000
        )["events"]
        if event.get("stateEnteredEventDetails", {}).get("name") == "ReleaseHeldJudge"
    ]
    assert len(made) == 1
    wait_until(lambda: is_clean(here))


def test_an_endpoint_of_the_account_that_the_stage_may_not_ask_is_refused_before_the_run(
    account: Start, judging: tuple[Judge, dict[str, Any]]
) -> None:
    model, settings = judging
    here = account(**settings)
    own(here, "  model: {endpoint: Theirs}")
    arn = start(here, 12)
    wait_for_end(here, arn)
    ended = here.describe(arn)
    assert ended.error == "PreflightError"
    assert "the account has no such endpoint" in (ended.cause or "")
    assert model.asked == []
