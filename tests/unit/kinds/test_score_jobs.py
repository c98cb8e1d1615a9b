"""Which jobs a scoring run has, what they are called, and what they are asked."""

import itertools
from typing import Any

import botocore.session
import pytest
import ryaml
from botocore.validate import ParamValidator

from nova_judge.errors import RecipeError
from nova_judge.inputs.dataset import AnswerSources
from nova_judge.kinds.recipes import load_recipe
from nova_judge.kinds.score_jobs import (
    Account,
    PlannedJob,
    base_model,
    job_files,
    job_name,
    pascal_case,
    plan_jobs,
    scorer_function_name,
)
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.run import Run, RunInput
from nova_judge.runs.training_job import started_by
from tests.unit.kinds.test_known import shipped

HERE = Account(
    "data", "us-east-1", "123456789012", "nova-judge-dev", "arn:aws:iam::123456789012:role/J", "dev"
)
CUSTOMISED = packaged_recipe("own-data").replace(
    "model_name_or_path: nova-micro/prod",
    "model_name_or_path: s3://customised/nova/checkpoints/",
)
LLMAJ = (
    packaged_recipe("serverless-mmlu")
    .replace(
        "    benchmark: mmlu\n    subtask: college_biology,global_facts",
        "    llmaj: {evaluator: us.anthropic.claude-sonnet-4-6, metrics: [Correctness],"
        " custom_metrics: [positive-sentiment]}",
    )
    .replace("evaluation: benchmark  #", "evaluation: llmaj  #")
)
SHAPES = {
    "nova": ("sagemaker", "CreateTrainingJobRequest"),
    "serverless": ("sagemaker", "CreateTrainingJobRequest"),
    "bedrock": ("bedrock", "CreateEvaluationJobRequest"),
}


def recipe(text: str) -> Recipe:
    return load_recipe(text, file="recipes/mine.yaml")


def run(of: Recipe, source: str = "file") -> Run:
    return Run(
        run_id="questions_1-0123456789ab",
        execution="arn:aws:states:us-east-1:123456789012:execution:machine:one",
        created="2026-11-21T00:00:00Z",
        input=RunInput("data", "inbox/x/questions.jsonl", "v", 1),
        recipe=of,
        recipe_sha256=of.sha256,
        sources=AnswerSources(source, source),
    )


def planned(of: Recipe, rows: int = 54) -> list[PlannedJob]:
    return plan_jobs(run(of), rows)


def test_more_than_a_thousand_prompts_become_several_jobs_a_candidate() -> None:
    jobs = planned(shipped("bedrock-judge"), 2_500)
    assert [job.number for job in jobs] == list(range(6))
    for side, held in itertools.groupby(jobs, key=lambda job: job.subject):
        parts = list(held)
        assert side in ("A", "B")
        assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
        assert parts[-1].last == 2_500
        assert all(0 < part.last - part.first <= 1_000 for part in parts)


def test_only_bedrock_s_jobs_score_a_candidate() -> None:
    jobs = planned(shipped("bedrock-judge"))
    assert [job.candidate for job in jobs] == [job.subject for job in jobs] == ["A", "B"]
    (benchmark,) = planned(shipped("benchmark-mmlu"))
    with pytest.raises(ValueError, match="evaluates the base model"):
        _ = benchmark.candidate


def test_a_customised_model_is_evaluated_beside_its_base_where_that_is_asked() -> None:
    assert [(j.subject, j.label) for j in planned(shipped("own-data"))] == [
        ("base", "nova-micro/prod")
    ]
    assert [j.subject for j in planned(recipe(CUSTOMISED))] == ["customised"]
    both = CUSTOMISED.replace("judge:\n", "judge:\n  evaluate_base_model: true\n")
    assert [(j.subject, j.label) for j in planned(recipe(both))] == [
        ("base", "nova-micro/prod"),
        ("customised", "s3://customised/nova/checkpoints/"),
    ]


def test_a_serverless_judge_needs_a_job_for_the_answers_first() -> None:
    jobs = planned(recipe(LLMAJ))
    assert [(j.number, j.subject, j.step) for j in jobs] == [
        (0, "base", "answer"),
        (1, "base", "judge"),
        (2, "customised", "answer"),
        (3, "customised", "judge"),
    ]
    answer, judge = (job_files(run(recipe(LLMAJ)), job, HERE) for job in jobs[:2])
    left = f"{answer.request['OutputDataConfig']['S3OutputPath']}/"
    left += f"{answer.request['TrainingJobName']}/output/output/"
    assert any(value.startswith(left) for value in judge.request["HyperParameters"].values())
    ((key, content),) = judge.files
    assert key.endswith("judge/1/custom_metrics.json")
    assert b"PositiveSentiment" in content


@pytest.mark.parametrize(
    "text",
    [
        *map(
            packaged_recipe,
            ["benchmark-mmlu", "own-data", "scorer-own", "reward", "bedrock-judge"],
        ),
        packaged_recipe("serverless-mmlu"),
        CUSTOMISED,
        LLMAJ,
    ],
    ids=[
        "benchmark",
        "own data",
        "own scorer",
        "reward",
        "bedrock",
        "serverless benchmark",
        "customised",
        "serverless judge",
    ],
)
def test_the_service_takes_every_request_and_the_name_tells_the_attempt(text: str) -> None:
    asked = run(recipe(text))
    jobs = plan_jobs(asked, 54)
    names = set()
    for job in jobs:
        files = job_files(asked, job, HERE)
        service, shape = SHAPES[job.api]
        model = botocore.session.get_session().get_service_model(service)
        report = ParamValidator().validate(files.request, model.shape_for(shape))
        assert not report.has_errors(), report.generate_report()
        name = job_name(asked, job, HERE)
        assert name == name.lower()
        assert len(f"{name}-10") <= 63
        assert started_by(asked.execution, f"{name}-0")
        assert not started_by("another execution", f"{name}-0")
        names.add(name)
        written = f"runs/{asked.run_id}/judge/{job.number}/"
        assert all(key.startswith(written) for key, _ in files.files)
    assert len(names) == len(jobs)


def test_an_own_scorer_is_named_by_its_function() -> None:
    asked = run(shipped("scorer-own"))
    ((_, content),) = job_files(asked, plan_jobs(asked, 5)[0], HERE).files
    function = "SageMaker-nova-judge-dev-numeric_answer"
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    assert ryaml.loads(content.decode())["processor"]["lambda_arn"] == arn
    assert len(scorer_function_name("p" * 40, "s" * 40)) == 64


def test_only_known_types_have_a_base_model() -> None:
    assert base_model("amazon.nova-micro-v1:0:128k") == "nova-micro/prod"
    with pytest.raises(RecipeError, match="has no known base model"):
        base_model("amazon.nova-giant-v9")


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"jobName": "x"}, {"JobName": "x"}),
        ({"a": [{"bC": 1}], "D": None}, {"A": [{"BC": 1}], "D": None}),
        ({"values": ["aB", ("c",)]}, {"Values": ["aB", ["c"]]}),
    ],
)
def test_step_functions_wants_other_key_names(plain: Any, expected: Any) -> None:
    assert pascal_case(plain) == expected
