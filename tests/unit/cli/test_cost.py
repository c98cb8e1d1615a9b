"""`request`, `estimate` and `doctor` as a user meets them."""

import json

import pytest
from typer.testing import CliRunner

from nova_judge.aws import account
from nova_judge.check import NotRead
from nova_judge.cli.main import app
from nova_judge.errors import BudgetError, InputFileError, PreflightError, RecipeError
from nova_judge.preflight.rules import Facts
from nova_judge.recipe.files import packaged_recipe, recipe_names

runner = CliRunner()
QUESTIONS = "".join(json.dumps({"prompt": f"What is {n}?"}) + "\n" for n in range(20))


@pytest.fixture
def questions(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(QUESTIONS)
    return str(file)


def run(*arguments: str):
    return runner.invoke(app, arguments)


def test_request_prints_one_json_object_and_nothing_else():
    printed = json.loads(run("request", "--recipe", "rubric", "--json").stdout)

    request = printed["request"]
    assert (printed["call"], printed["jobs"]) == ("CreateTrainingJob", 1)
    assert request["ResourceConfig"]["InstanceType"] == "ml.p5.48xlarge"
    assert printed["recipe"].startswith("run:\n  name: nova-judge-RUN-ID")


@pytest.mark.parametrize("command", [["estimate"], ["validate"], ["request"]])
def test_a_recipe_of_a_trigger_is_read_for_a_job_that_is_named(tmp_path, questions, command):
    recipe = tmp_path / "checkpoint.yaml"
    text = packaged_recipe("pairwise").replace(
        "endpoint: qwen2.5-7b-instruct", "training_job: $trigger"
    )
    recipe.write_text(text.replace("max_usd: 50", "max_usd: null"))
    asked = [*command, *([] if command == ["request"] else [questions]), "--recipe", str(recipe)]
    assert "nothing did: name one with the --trigger" in str(run(*asked).exception)
    assert run(*asked, "--trigger", "sft-17").exit_code == 0
    other = run(*asked[:-1], "pairwise", "--trigger", "sft-17")
    assert "the recipe names no $trigger" in str(other.exception)


@pytest.mark.parametrize("name", recipe_names())
def test_request_knows_every_kind(name):
    printed = json.loads(run("request", "--recipe", name, "--json").stdout)

    calls = ("CreateTrainingJob", "CreateEvaluationJob", "Calls of the judge's model")
    assert printed["call"] in calls
    assert printed["request"]


def test_request_for_a_person_shows_the_request_and_the_containers_recipe():
    printed = run("request", "--recipe", "pairwise", "--region", "us-west-2").stdout

    assert "176779409107.dkr.ecr.us-west-2.amazonaws.com" in printed
    assert "recipe.yaml, as the container reads it" in printed


def test_a_region_without_an_image_is_an_error_of_ours():
    result = run("request", "--recipe", "rubric", "--region", "eu-west-1")

    assert isinstance(result.exception, RecipeError)


def test_estimate_prints_every_position_the_sum_and_what_it_rests_on(questions):
    result = run("estimate", questions, "--recipe", "qwen-vs-claude")

    assert result.exit_code == 0
    for words in ("20 rows", "judge", "Bedrock", "budget.max_usd", "This rests on:"):
        assert words in result.stdout


def test_estimate_says_what_the_worst_case_is_made_of(questions, tmp_path):
    both = " ".join(run("estimate", questions, "--recipe", "pairwise").stdout.split())
    assert "with answers as long as allowed and every judge job up to its time limit" in both
    recipe = tmp_path / "short.yaml"
    text = packaged_recipe("pairwise").replace("max_runtime_s: 21600", "max_runtime_s: 600")
    recipe.write_text(text)

    stopped = " ".join(run("estimate", questions, "--recipe", str(recipe)).stdout.split())
    assert "is stopped at judge.max_runtime_s (600 s)" in stopped
    assert "up to its time limit" not in stopped


def test_estimate_above_the_budget_prints_the_positions_and_then_the_error(questions, tmp_path):
    recipe = tmp_path / "tight.yaml"
    recipe.write_text(packaged_recipe("rubric").replace("max_usd: 250", "max_usd: 2"))

    result = run("estimate", questions, "--recipe", str(recipe))
    assert isinstance(result.exception, BudgetError)
    assert "ml.p5.48xlarge" in result.stdout


def test_estimate_without_a_known_price_names_no_sum():
    result = run("estimate", "--recipe", "serverless-mmlu")

    assert result.exit_code == 0
    assert "serverless-mmlu: price not known for serverless evaluation" in result.stdout
    assert "rows" not in result.stdout.splitlines()[0]


@pytest.mark.parametrize("recipe", ["pairwise", "own-data"])
def test_estimate_of_lines_that_the_recipe_cannot_use_is_an_error(tmp_path, recipe):
    file = tmp_path / "x.jsonl"
    file.write_text('{"question": "What is 1?"}\n')

    error = run("estimate", str(file), "--recipe", recipe).exception
    assert isinstance(error, InputFileError)
    field = "prompt" if recipe == "pairwise" else "query"
    assert f"no column `{field}`" in str(error)
    assert f"--map {field}=question" in str(error)


def test_estimate_of_a_recipe_without_a_file_refuses_one(questions):
    error = run("estimate", questions, "--recipe", "benchmark-mmlu").exception

    assert isinstance(error, InputFileError)
    assert "brings its own questions" in str(error)


def test_estimate_in_json_is_what_the_report_keeps(questions):
    printed = json.loads(run("estimate", questions, "--recipe", "pairwise", "--json").stdout)

    assert printed["workload"]["rows"] == 20
    assert printed["likely"]["usd"] == pytest.approx(
        sum(x["usd"] for x in printed["likely"]["lines"])
    )


def test_doctor_shows_every_check_and_fails_with_what_to_do(monkeypatch, questions):
    facts = Facts(region="us-east-1", caller=NotRead("NoCredentialsError"))
    monkeypatch.setattr(account, "doctor_facts", lambda stage, recipe: facts)

    result = run("doctor", "--recipe", "pairwise", "--input", questions, "--json")
    checks = {check["name"]: check["status"] for check in json.loads(result.stdout)["checks"]}
    assert (checks["credentials"], checks["input"]) == ("fail", "pass")
    assert checks["ml.g5.12xlarge for training job usage"] == "not run"
    assert isinstance(result.exception, PreflightError)


def test_estimate_of_a_misspelt_model_names_the_nearest_of_the_catalogue_beside(
    questions, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "catalogue.yaml").write_text("summaries-7b: {weights: s3://mine/summaries-7b/}\n")
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(packaged_recipe("pairwise").replace("qwen2.5-7b-instruct", "sumaries-7b"))

    told = run("estimate", questions, "--recipe", str(recipe)).stdout
    assert "no catalogue has this name. Did you mean 'summaries-7b'?" in told
    missing = run("estimate", questions, "--recipe", str(tmp_path / "mein.yaml")).exception
    assert str(missing).endswith(f"Did you mean '{recipe}'?")


def test_endpoints_of_a_misspelt_model_names_the_nearest():
    refused = run("endpoints", "up", "qwen2.5-7b").exception
    assert str(refused).endswith("Did you mean 'qwen2.5-7b-instruct'?")
