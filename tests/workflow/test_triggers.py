"""A training job that completes starts a recipe on its model, and hears of the result as a tag."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nova_judge.layout import RECIPES, UNSTARTED
from stacks import command, local_templates
from tests.workflow.conftest import ROOT, Account, lines
from tests.workflow.test_endpoints import QUESTIONS, invoke, wait_until
from tests.workflow.test_sources import PACKAGES, stage, without_right
from tests.workflow.test_verify import rows, verify

JOB = "sft-17"
KEY = f"{UNSTARTED}questions"
TRIGGERS = {
    "ckpt": {
        "recipe": "checkpoint",
        "input": KEY,
        "when_trained": "sft-",
        "sets": ["tag"],
        "gate": {"min_win_rate": 0.0, "max_errors": 1.0},
    },
    "weekly": {"recipe": "checkpoint", "input": KEY, "schedule": "rate(7 days)"},
}
PAIR = lines({"prompt": "1+1?", "response_A": "3", "response_B": "2", "reference": "2"})
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.30.0"
ROLE = "arn:aws:iam::123456789012:role/r"


def written(folder: Path, **settings: Any) -> Path:
    """The templates of the stage with these settings."""
    os.environ["JSII_NODE"] = str(command.NODE_FOLDER / "node")  # read where aws_cdk is imported
    for name, template in local_templates.synthesized(settings).items():
        (folder / f"{name}.json").write_text(local_templates.as_text(template), "utf-8")
    return folder


def serve(here: Account, name: str, model: str) -> None:
    """An endpoint of the account, as its owner made it."""
    sagemaker = here.client("sagemaker")
    container = {"Image": IMAGE, "Environment": {"SM_VLLM_MODEL": model}}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant: dict[str, Any] = {"VariantName": "one", "ModelName": name}
    variant |= {"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def train(here: Account, name: str) -> str:
    """A job that completes: that of a judge once more, under another name; its ARN."""
    sagemaker = here.client("sagemaker")
    (judged,) = here.jobs()
    described = sagemaker.describe_training_job(TrainingJobName=judged["TrainingJobName"])
    keys = ("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "ResourceConfig")
    again = {key: described[key] for key in (*keys, "RoleArn", "StoppingCondition")}
    output = {"S3OutputPath": f"s3://{here.bucket}/answers/elsewhere/"}
    made = sagemaker.create_training_job(TrainingJobName=name, OutputDataConfig=output, **again)
    return str(made["TrainingJobArn"])


def recipe_of(candidates: str) -> bytes:
    text = (ROOT / "recipes/pairwise.yaml").read_text("utf-8")
    head, _, tail = text.partition("\ncandidates:")
    rest = tail.partition("generation:")[2]
    return f"{head}\ncandidates: {candidates}\ngeneration:{rest}".encode()


def prepare(here: Account, folder: Path) -> None:
    recipe = recipe_of("{A: {endpoint: base}, B: {endpoint: $trigger}}")
    content = b"".join(QUESTIONS[:6])
    known = folder / "known.jsonl"
    known.write_bytes(content + PAIR)
    here.emulator.tell_judge(known)
    s3 = here.client("s3")
    s3.put_object(Bucket=here.bucket, Key=f"{RECIPES}checkpoint.yaml", Body=recipe)
    s3.put_object(Bucket=here.bucket, Key=KEY, Body=content)
    serve(here, "base", "Qwen/Qwen2.5-1.5B-Instruct")
    serve(here, JOB, "Qwen/Qwen2.5-7B-Instruct")


@pytest.mark.slow
def test_a_completed_job_is_compared_once_and_tagged_with_the_result(account, tmp_path):
    (tmp_path / "templates").mkdir()
    settings = {"triggers": TRIGGERS, "candidate_endpoints": ["base", "sft-*"]}
    here = account(templates=written(tmp_path / "templates", **settings))
    prepare(here, tmp_path)
    here.drop("pairs.jsonl", PAIR)
    here.ended()

    arn = train(here, JOB)

    _, execution = here.ended(2)
    assert execution.status == "SUCCEEDED", execution
    run = execution.output["run_id"]
    request = json.loads(here.read(f"runs/{run}/request.json"))
    assert request["recipe"]["candidates"]["B"]["endpoint"] == JOB
    assert request["trigger"]["name"] == "ckpt"
    metrics = json.loads(here.read(f"runs/{run}/report/metrics.json"))
    assert metrics["candidates"]["B"]["name"] == JOB

    def tags() -> dict[str, str]:
        listed = here.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in listed}

    assert wait_until(tags) == {"nova-judge:outcome": "pass", "nova-judge:run": run}
    without_right(here, "TellRegistry", "sagemaker:AddTags")
    entry = json.loads(here.read(f"runs/_index/{run}.json"))
    refused = invoke(here, "TellRegistry", {"detail": {"stage": "local", "run": entry}})
    assert "AccessDenied" in refused["errorMessage"]

    started = here.client("stepfunctions").describe_execution(executionArn=execution.arn)["input"]
    here.start(json.loads(started))
    *_, again = here.ended(3)
    assert (again.status, again.output["claimed"]) == ("SUCCEEDED", False)
    assert again.output["run_id"] == run

    done = verify(here, tmp_path / "out")
    found = rows(tmp_path / "out")
    told = {name: row["status"] for name, row in found.items() if name.startswith("trigger ")}
    assert told == {
        "trigger ckpt": "confirmed",
        "trigger weekly": "confirmed",
        "trigger ckpt starts checkpoint": "confirmed",
        "trigger weekly starts checkpoint": "refuted",
    }
    assert done.returncode == 3
    assert "$trigger stands for" in found["trigger weekly starts checkpoint"]["evidence"]


PACKAGE = f"{PACKAGES}/2"
GATE = {
    "recipe": "registry",
    "input": KEY,
    "when_registered": "tuned",
    "sets": ["approval", "tag"],
    "gate": {"min_win_rate": 0.0, "max_errors": 1.0},
}


@pytest.mark.slow
def test_a_package_that_waits_is_compared_and_approved_and_sets_nothing_off_again(
    account, tmp_path
):
    (tmp_path / "templates").mkdir()
    templates = written(tmp_path / "templates", triggers={"registry": GATE})
    here = stage(account, tmp_path, templates=templates)
    content, s3 = b"".join(QUESTIONS[:3]), here.client("s3")
    (tmp_path / "known.jsonl").write_bytes(content)
    here.emulator.tell_judge(tmp_path / "known.jsonl")
    recipe = recipe_of("{A: {endpoint: ckpt-one}, B: {model_package: $trigger}}")
    s3.put_object(Bucket=here.bucket, Key=f"{RECIPES}registry.yaml", Body=recipe)
    s3.put_object(Bucket=here.bucket, Key=KEY, Body=content)
    sagemaker = here.client("sagemaker")

    sagemaker.update_model_package(
        ModelPackageArn=PACKAGE, ModelApprovalStatus="PendingManualApproval"
    )

    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED", execution
    run = execution.output["run_id"]

    def decided() -> dict[str, Any] | None:
        found = sagemaker.describe_model_package(ModelPackageName=PACKAGE)
        return found if found["ModelApprovalStatus"] != "PendingManualApproval" else None

    package = wait_until(decided)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["ApprovalDescription"].startswith(f"Nova Judge run {run}: pass: win rate of B")
    assert package["CustomerMetadataProperties"] == {
        "nova-judge:outcome": "pass",
        "nova-judge:run": run,
    }
    assert len(here.ended()) == 1

    without_right(here, "TellRegistry", "sagemaker:UpdateModelPackage")
    entry = json.loads(here.read(f"runs/_index/{run}.json"))
    refused = invoke(here, "TellRegistry", {"detail": {"stage": "local", "run": entry}})
    assert "AccessDenied" in refused["errorMessage"]
