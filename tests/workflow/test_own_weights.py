"""Weights that a recipe names are served for its run, and nothing of them is left behind."""

from typing import Any

import pytest

from nova_judge.layout import RECIPES
from tests.workflow.conftest import ROOT, Account
from tests.workflow.test_endpoints import QUESTIONS, entered, invoke, wait_for_end, wait_until

WEIGHTS = "{weights: Qwen/Qwen2.5-1.5B-Instruct, revision: main, instance_types: [ml.g5.xlarge]}"


def put_recipe(here: Account, candidate: str) -> None:
    head, _, tail = (ROOT / "recipes/pairwise.yaml").read_text("utf-8").partition("\ncandidates:")
    text = tail.partition("\ngeneration:")[2]
    other = "{endpoint: qwen2.5-7b-instruct}"
    document = f"{head}\ncandidates:\n  A: {candidate}\n  B: {other}\ngeneration:{text}"
    key = f"{RECIPES}own.yaml"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=document.encode())


def left(here: Account) -> dict[str, Any]:
    sagemaker = here.client("sagemaker")
    configs = sagemaker.list_endpoint_configs(NameContains="-own-")["EndpointConfigs"]
    models = sagemaker.list_models(NameContains="-own-")["Models"]
    return {"endpoints": here.endpoints(), "configs": configs, "models": models}


NOTHING = {"endpoints": [], "configs": [], "models": []}


def drop(here: Account, folder) -> None:
    here.drop("questions.jsonl", b"".join(QUESTIONS[:3]), recipe="own", folder=folder)


@pytest.mark.slow
def test_a_run_on_weights_of_the_hub_ends_in_a_report_and_leaves_nothing(account, tmp_path):
    here = account()
    put_recipe(here, WEIGHTS)
    drop(here, tmp_path)
    made = wait_until(lambda: left(here)["models"])
    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED", execution
    assert len(made) == 1
    assert here.metrics()["candidates"]["A"]["name"] == "Qwen/Qwen2.5-1.5B-Instruct"
    assert wait_until(lambda: left(here) == NOTHING)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["PrepareEndpoints", "GenerateResponses"])
def test_an_abort_leaves_nothing(account, tmp_path, state):
    here = account(endpoint_start_s=1.0)
    put_recipe(here, WEIGHTS)
    drop(here, tmp_path)
    machine = here.outputs["StateMachineArn"]
    sfn = here.client("stepfunctions")

    def started() -> str | None:
        executions = sfn.list_executions(stateMachineArn=machine)["executions"]
        return next((e["executionArn"] for e in executions if "mapRunArn" not in e), None)

    arn = wait_until(started)
    wait_until(lambda: state in entered(here, arn))
    sfn.stop_execution(executionArn=arn)
    wait_for_end(here, arn)

    def is_clean() -> bool:
        invoke(here, "WatchEndpoints", {})
        return left(here)["endpoints"] == []

    assert wait_until(is_clean)


@pytest.mark.slow
def test_weights_that_the_stage_does_not_serve_are_refused_before_anything_is_made(
    account, tmp_path
):
    here = account()
    put_recipe(here, "{weights: 's3://theirs/ckpt/', instance_types: [ml.g5.xlarge]}")
    drop(here, tmp_path)
    (execution,) = here.ended()
    assert execution.error == "PreflightError"
    assert "add s3://theirs/ckpt/ to weights of the stage" in (execution.cause or "")
    assert left(here) == NOTHING
