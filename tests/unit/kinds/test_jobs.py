"""The jobs of a run: what they are there for, what they are called, and what is asked for them."""

import itertools
from typing import Any

import botocore.session
import pytest
import ryaml
from botocore.validate import ParamValidator

from nova_judge.errors import RecipeError
from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.bedrock_scores import candidate_of, pascal_case
from nova_judge.kinds.job import Deployment, JobRequest, PlannedJob, job_place
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.nova import base_model, scorer_function_name
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import started_by
from tests.made.asked_runs import run_of
from tests.unit.kinds.test_known_kinds import shipped

HERE = Deployment(
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
    "CreateTrainingJob": ("sagemaker", "CreateTrainingJobRequest"),
    "CreateEvaluationJob": ("bedrock", "CreateEvaluationJobRequest"),
}


RUN_ID = "questions_1-0123456789ab"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:machine:one"


def recipe(text: str) -> Recipe:
    return load_recipe(text, file="recipes/mine.yaml")


def run(of: Recipe, source: str = "file") -> Run:
    return run_of(of, AnswerSources(source, source), run_id=RUN_ID, execution=EXECUTION)


def planned(of: Recipe, rows: int = 54) -> tuple[PlannedJob, ...]:
    return kind_of(of.kind).jobs(run(of), rows)


def asked_for(of: Run, job: PlannedJob, where: Deployment = HERE) -> JobRequest:
    return kind_of(of.recipe.kind).request(of, job, where)


def test_pairs_are_cut_into_jobs_and_each_control_is_a_job_after_them() -> None:
    text = packaged_recipe("pairwise").replace(
        "judge:\n", "controls: [same_answer, padded]\njudge:\n  max_rows_per_job: 20\n"
    )
    jobs = planned(recipe(text), 45)
    assert [(j.number, j.step, j.label, j.first, j.last) for j in jobs] == [
        (0, "judge", "pairs", 0, 20),
        (1, "judge", "pairs", 20, 40),
        (2, "judge", "pairs", 40, 45),
        (3, "control", "same_answer", 0, 0),
        (4, "control", "padded", 0, 0),
    ]
    folder = "runs/questions_1-0123456789ab/judge"
    assert {(j.data, j.rows) for j in jobs} == {
        (f"{folder}/{n}/input/llm_judge.jsonl", f"{folder}/{n}/rows.jsonl") for n in range(5)
    }
    (whole,) = planned(shipped("pairwise"), 45)
    assert (whole.first, whole.last) == (0, 45)


def test_more_than_a_thousand_prompts_become_several_jobs_a_candidate() -> None:
    jobs = planned(shipped("bedrock-judge"), 2_500)
    assert [job.number for job in jobs] == list(range(6))
    for side, held in itertools.groupby(jobs, key=lambda job: job.subject):
        parts = list(held)
        assert side in ("A", "B")
        assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
        assert parts[-1].last == 2_500
        assert all(0 < part.last - part.first <= 1_000 for part in parts)


def test_bedrock_s_jobs_score_a_candidate_each_and_read_a_file_each() -> None:
    jobs = planned(shipped("bedrock-judge"))
    assert [candidate_of(job) for job in jobs] == [job.subject for job in jobs] == ["A", "B"]
    assert len({job.data for job in jobs}) == len({job.rows for job in jobs}) == 2


def test_models_under_test_share_a_file_and_a_benchmark_reads_none() -> None:
    both = CUSTOMISED.replace("judge:\n", "judge:\n  evaluate_base_model: true\n")
    jobs = planned(recipe(both))
    assert len(jobs) == 2
    assert {(job.data, job.rows, job.last) for job in jobs} == {
        (
            "runs/questions_1-0123456789ab/judge/0/input/gen_qa.jsonl",
            "runs/questions_1-0123456789ab/judge/0/rows.jsonl",
            54,
        )
    }
    (benchmark,) = planned(shipped("benchmark-mmlu"))
    assert benchmark.data is benchmark.rows is None


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
    answer, judge = (asked_for(run(recipe(LLMAJ)), job) for job in jobs[:2])
    left = f"{answer.body['OutputDataConfig']['S3OutputPath']}/"
    left += f"{answer.body['TrainingJobName']}/output/output/"
    assert any(value.startswith(left) for value in judge.body["HyperParameters"].values())
    ((key, content),) = judge.files
    assert key.endswith("judge/1/custom_metrics.json")
    assert b"PositiveSentiment" in content


@pytest.mark.parametrize(
    "text",
    [
        *map(
            packaged_recipe,
            ["pairwise", "benchmark-mmlu", "own-data", "scorer-own", "reward", "bedrock-judge"],
        ),
        packaged_recipe("serverless-mmlu"),
        CUSTOMISED,
        LLMAJ,
    ],
    ids=[
        "pairs",
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
    jobs = kind_of(asked.recipe.kind).jobs(asked, 54)
    names = set()
    for job in jobs:
        request = asked_for(asked, job)
        service, shape = SHAPES[request.call]
        model = botocore.session.get_session().get_service_model(service)
        report = ParamValidator().validate(request.body, model.shape_for(shape))
        assert not report.has_errors(), report.generate_report()
        name = job_place(asked, job, HERE).name
        assert name == name.lower()
        assert len(f"{name}-10") <= 63
        assert started_by(asked.execution, f"{name}-0")
        assert not started_by("another execution", f"{name}-0")
        names.add(name)
        written = f"runs/{asked.run_id}/judge/{job.number}/"
        assert all(key.startswith(written) for key, _ in request.files)
    assert len(names) == len(jobs)


def test_an_own_scorer_is_named_by_its_function() -> None:
    asked = run(shipped("scorer-own"))
    ((_, content),) = asked_for(asked, planned(asked.recipe)[0]).files
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
