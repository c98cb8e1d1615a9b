"""What the synthesized state machine sends to SageMaker, beside what AWS's own SDKs send."""

import json
from pathlib import Path

import botocore.session
import msgspec
import pytest
import ryaml
from botocore.validate import ParamValidator

from nova_judge.kinds.nova_container import recipe_to_nova_yaml
from nova_judge.recipe.nova_block import NovaBlock
from nova_judge.recipe.recipe import Judge, Recipe
from nova_judge.recipe.shape import read_record
from nova_judge.runs.training_job_request import training_job_request

CAPTURED = Path(__file__).resolve().parents[1] / "data" / "nova_requests"
KINDS = ("llm_judge", "llm_judge_sdk3", "rubric_llm_judge", "benchmark", "gen_qa", "rft_eval")
REGION = "us-east-1"

# Where our request differs from the captured one, field by field, and why. Nothing else may differ.
ALWAYS = {
    "TrainingJobName": "a job is named after its run",
    "RoleArn": "the stack's own least-privilege role",
    "Tags": "stage and run, so that cost and clean-up find the job",
    "OutputDataConfig.S3OutputPath": "the run's own folder",
    "InputDataConfig.train.DataSource.S3DataSource.S3Uri": "the run's own folder",
    "InputDataConfig.recipe.DataSource.S3DataSource.S3Uri": (
        "the recipe's file itself, as SDK v3 sends it; SDK v2 names its folder"
    ),
    "HyperParameters.sagemaker_recipe_local_path": "the file is always called recipe.yaml",
    # Step Functions fails a run, past every Catch, for a field that its integration does not know.
    "ProfilerConfig.DisableProfiler": "SDK v2 switches the profiler off; SDK v3 says nothing",
    "RemoteDebugConfig.EnableRemoteDebug": "SDK v2 says false, which is the default",
}
OF_KIND = {
    "llm_judge_sdk3": {
        "HyperParameters.model_type": "SDK v2 sends it; SDK v3 leaves it to the recipe",
        "OutputDataConfig.CompressionType": "GZIP is what the service does when it is left out",
    },
    "rft_eval": {
        "HyperParameters.reward_lambda_arn": (
            "AWS's documentation asks for it; the capture had a placeholder for the function"
        ),
    },
}


def captured(kind: str) -> dict:
    return json.loads((CAPTURED / f"{kind}.json").read_text())


def recipe_of(kind: str) -> Recipe:
    """The recipe that says what the captured job was asked."""
    request = captured(kind)
    text = (CAPTURED / f"{kind.removesuffix('_sdk3')}.recipe.yaml").read_text()
    resources = request["ResourceConfig"]
    return Recipe(
        name=kind,
        kind="llm_judge",
        judge=Judge(
            instance_type=resources["InstanceType"],
            instance_count=resources["InstanceCount"],
            volume_gb=resources["VolumeSizeInGB"],
            max_runtime_s=request["StoppingCondition"]["MaxRuntimeInSeconds"],
            image=request["AlgorithmSpecification"]["TrainingImage"].rsplit(":", 1)[1],
            nova=read_record(ryaml.loads(text), NovaBlock, file=kind),
        ),
    )


def sent(kind: str, definition: dict) -> dict:
    """The parameters that the state RunJudgeJob hands to SageMaker for one prepared request."""
    has_data = any(c["ChannelName"] == "train" for c in captured(kind)["InputDataConfig"])
    folder = "s3://data/runs/run-1/judge/0"
    prepared = training_job_request(
        recipe_of(kind),
        job_name="nova-judge-dev-run-1-0",
        region=REGION,
        role_arn="arn:aws:iam::123456789012:role/judge",
        train_uri=f"{folder}/input/llm_judge.jsonl" if has_data else None,
        recipe_uri=f"{folder}/recipe/recipe.yaml",
        output_uri=f"{folder}/output/",
        tags={"nova-judge:run": "run-1"},
    )
    state = definition["States"]["RunJudgeJobs"]["ItemProcessor"]["States"]["RunJudgeJob"]
    assert state["Resource"].endswith(":states:::sagemaker:createTrainingJob.sync")
    return {
        name.removesuffix(".$"): _evaluated(path, prepared)
        for name, path in state["Parameters"].items()
    }


def _evaluated(path: str, prepared: dict) -> object:
    """`$.request.X`, or the job's name with the number of redrives after it."""
    if path.startswith("States.Format('{}-{}', $.request.TrainingJobName,"):
        return f"{prepared['TrainingJobName']}-0"
    return prepared[path.removeprefix("$.request.")]


def flat(value: object, path: str = "") -> dict[str, object]:
    """Every leaf by its path; channels are told apart by their name."""
    if isinstance(value, dict):
        parts = value.items()
    elif path == "InputDataConfig":
        parts = ((channel["ChannelName"], channel) for channel in value)
    else:
        return {path: value}
    found = {}
    for key, inner in parts:
        found |= flat(inner, f"{path}.{key}" if path else key)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_request_is_the_captured_one_but_for_the_listed_differences(kind, definition):
    ours, theirs = flat(sent(kind, definition)), flat(captured(kind))

    different = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
    assert different <= ALWAYS.keys() | OF_KIND.get(kind, {}).keys()
    assert different >= OF_KIND.get(kind, {}).keys(), "a difference that is no more: take it out"


@pytest.mark.parametrize("kind", KINDS)
def test_botocore_accepts_what_is_sent(kind, definition):
    sagemaker = botocore.session.get_session().get_service_model("sagemaker")
    shape = sagemaker.operation_model("CreateTrainingJob").input_shape

    assert ParamValidator().validate(sent(kind, definition), shape).generate_report() == ""


@pytest.mark.parametrize("kind", KINDS)
def test_the_container_reads_the_captured_recipe_byte_for_byte(kind):
    text = (CAPTURED / f"{kind.removesuffix('_sdk3')}.recipe.yaml").read_text()

    assert recipe_to_nova_yaml(recipe_of(kind), "unused") == text


def test_every_captured_request_is_compared():
    assert {path.stem for path in CAPTURED.glob("*.json")} == set(KINDS)


def test_a_recipe_without_a_run_name_gets_the_jobs(definition):
    recipe = recipe_of("llm_judge")
    nova = recipe.nova
    unnamed = msgspec.structs.replace(nova, run=msgspec.structs.replace(nova.run, name=""))
    judge = msgspec.structs.replace(recipe.judge, nova=unnamed)

    text = recipe_to_nova_yaml(msgspec.structs.replace(recipe, judge=judge), "nova-judge-run-1-0")
    assert ryaml.loads(text)["run"]["name"] == "nova-judge-run-1-0"
