import json
from pathlib import Path

import botocore.session
import msgspec
import pytest
import ryaml
from botocore.validate import ParamValidator

from nova_judge.errors import RecipeError
from nova_judge.kinds.nova_container import recipe_to_nova_yaml
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe, recipe_names
from nova_judge.recipe.nova_block import NovaBlock
from nova_judge.recipe.shape import read_record
from nova_judge.runs.training_job_request import (
    evaluation_image,
    hyperparameters,
    training_job_name,
)
from nova_judge.runs.training_job_request import training_job_request as render

CAPTURED = Path(__file__).parents[2] / "data" / "nova_requests"
CAPTURED_RECIPES = ("benchmark", "gen_qa", "llm_judge", "rft_eval", "rubric_llm_judge")
ROLE = "arn:aws:iam::123456789012:role/EvalRole"


def request_of(text: str, **changes):
    values = {
        "job_name": "nova-judge-x-0",
        "region": "us-east-1",
        "role_arn": ROLE,
        "train_uri": "s3://b/runs/x/judge/0/input/llm_judge.jsonl",
        "recipe_uri": "s3://b/runs/x/judge/0/recipe/recipe.yaml",
        "output_uri": "s3://b/runs/x/judge/0/output/",
        "tags": {"nova-judge:run": "x"},
    }
    return render(load_recipe(text, file="mine.yaml"), **(values | changes))


def problems(request) -> str:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateTrainingJob").input_shape
    return ParamValidator().validate(request, shape).generate_report()


OF_NOVA = [
    name
    for name in recipe_names()
    if load_recipe(packaged_recipe(name), file=name).judge.nova is not None
]


@pytest.mark.parametrize("name", OF_NOVA)
def test_botocore_accepts_the_request_of_every_recipe(name):
    assert problems(request_of(packaged_recipe(name))) == ""


@pytest.mark.parametrize(
    "name", ["benchmark", "gen_qa", "llm_judge", "rft_eval", "rubric_llm_judge"]
)
def test_the_nova_block_is_written_as_the_container_reads_it_key_for_key(name):
    text = (CAPTURED / f"{name}.recipe.yaml").read_text()
    block = read_record(ryaml.loads(text), NovaBlock, file=name)
    recipe = load_recipe(packaged_recipe("pairwise"), file="pairwise.yaml")

    written = recipe_to_nova_yaml(_with_block(recipe, block), "unused")

    assert written == text


@pytest.mark.parametrize("name", ["benchmark", "gen_qa", "llm_judge", "rubric_llm_judge"])
def test_hyperparameters_are_those_that_the_sdk_sends(name):
    captured = json.loads((CAPTURED / f"{name}.json").read_text())["HyperParameters"]
    text = (CAPTURED / f"{name}.recipe.yaml").read_text()
    block = read_record(ryaml.loads(text), NovaBlock, file=name)
    mounted = Path(captured["sagemaker_recipe_local_path"]).name

    assert hyperparameters(block, f"s3://b/recipe/{mounted}") == captured


def test_a_recipe_folder_holds_recipe_yaml():
    request = request_of(packaged_recipe("pairwise"), recipe_uri="s3://b/runs/x/judge/0/recipe")

    path = request["HyperParameters"]["sagemaker_recipe_local_path"]
    assert path == "/opt/ml/input/data/recipe/recipe.yaml"


def test_a_benchmark_has_no_train_channel():
    channels = request_of(packaged_recipe("pairwise"), train_uri=None)["InputDataConfig"]

    assert [channel["ChannelName"] for channel in channels] == ["recipe"]


def test_no_key_is_named_for_the_local_disks():
    assert "VolumeKmsKeyId" not in request_of(packaged_recipe("pairwise"))["ResourceConfig"]


def test_the_image_is_that_of_the_region():
    image = evaluation_image("us-west-2")

    assert image.startswith("176779409107.dkr.ecr.us-west-2.amazonaws.com/nova-evaluation-repo:")
    assert evaluation_image("us-east-1", "SM-TJ-Eval-latest").endswith(":SM-TJ-Eval-latest")
    assert evaluation_image("eu-west-1", "1.dkr.ecr.eu-west-1.amazonaws.com/a:b").endswith("/a:b")


def test_a_region_without_an_image_is_refused_with_those_that_have_one():
    with pytest.raises(RecipeError, match=r"eu-west-1; regions with one: us-east-1, us-west-2"):
        evaluation_image("eu-west-1")


@pytest.mark.parametrize("run_id", ["a", "x" * 80, "with_underscore.and.dots", "-a-", "a--b" * 12])
def test_job_names_are_those_that_sagemaker_takes(run_id):
    name = training_job_name("nova-judge", run_id, "execution", 12)

    assert name.endswith("-12")
    assert len(name + "-99") <= 63
    assert problems(request_of(packaged_recipe("pairwise"), job_name=name)) == ""


def _with_block(recipe, block):

    judge = msgspec.structs.replace(recipe.judge, nova=block)
    return msgspec.structs.replace(recipe, judge=judge)
