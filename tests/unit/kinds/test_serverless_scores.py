"""Serverless evaluations: the same requests as those of the SageMaker Python SDK 3.27.0.

`tests/data/serverless_requests` holds the arguments of the training steps that the SDK's templates
render. What differs is listed in `OURS`, with the reason.
"""

import json
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import msgspec
import pytest

from nova_judge.kinds.job import JobPlace
from nova_judge.kinds.serverless_requests import (
    answers_uri,
    custom_metrics_file,
    evaluation_request,
    inference_request,
    judging_request,
)
from nova_judge.recipe.bedrock_judge import CustomMetric, packaged_metric
from nova_judge.recipe.serverless import Serverless, ServerlessJudge, serverless_problems

CAPTURED = Path(__file__).parents[2] / "data" / "serverless_requests"
OURS = {
    "TrainingJobName": "the SDK lets its pipeline name the job; ours is named after the run",
    "Tags": "ours say which run and stage a job belongs to",
}

LLAMA = (
    "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/"
    "meta-textgeneration-llama-3-2-1b-instruct/1.10.0"
)
NOVA = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/nova-lite-2/1.0.0"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/customer-models/3"
EVALUATOR = (
    "arn:aws:sagemaker:us-east-1:123456789012:hub-content/sdk-test-hub/JsonDoc/my-scorer/1.0.0"
)
DATASET = (
    "arn:aws:sagemaker:us-east-1:123456789012:hub-content/sdk-test-hub/DataSet/my-questions/1.0.0"
)
PLACE = JobPlace(
    name="nova-judge-r1-0",
    role_arn="arn:aws:iam::123456789012:role/EvalRole",
    output_uri="s3://data-bucket/runs/r1/judge/0/output",
    tags={"nova-judge:run": "r1"},
)
BENCHMARK = Serverless(
    evaluation="benchmark",
    base_model=LLAMA,
    model_package=PACKAGE,
    benchmark="mmlu",
    subtask="anatomy,virology",
)
SCORER = Serverless(evaluation="scorer", base_model=LLAMA, model_package=PACKAGE, dataset=DATASET)
LLMAJ = Serverless(
    evaluation="llmaj",
    base_model=LLAMA,
    model_package=PACKAGE,
    llmaj=ServerlessJudge(
        evaluator="us.anthropic.claude-sonnet-4-6", metrics=("Correctness", "Helpfulness")
    ),
)


def captured(name: str, step: str) -> dict[str, Any]:
    """The SDK was given a key for the output; ours is encrypted as its bucket says."""
    request = json.loads((CAPTURED / f"{name}.json").read_text())[step]
    del request["OutputDataConfig"]["KmsKeyId"]
    return request


def compared(request: dict[str, Any]) -> dict[str, Any]:
    """Our request without what is known to differ; botocore must accept all of it."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateTrainingJob").input_shape
    report = botocore.validate.ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    return {key: value for key, value in request.items() if key not in OURS}


def test_a_benchmark_of_a_model_package_beside_its_base_model() -> None:
    for subject, step in (("base", "EvaluateBaseModel"), ("customised", "EvaluateCustomModel")):
        request = evaluation_request(BENCHMARK, None, subject, PLACE)
        assert compared(request) == captured("benchmark", step)


def test_nova_models_are_told_their_metric_under_another_name() -> None:
    nova = msgspec.structs.replace(BENCHMARK, base_model=NOVA, subtask="")
    expected = captured("benchmark_nova", "EvaluateCustomModel")
    expected["ServerlessJobConfig"]["BaseModelArn"] = NOVA
    assert compared(evaluation_request(nova, None, "customised", PLACE)) == expected


def test_a_preset_scorer_on_a_registered_data_set() -> None:
    place = PLACE._replace(data_uri=DATASET)
    request = evaluation_request(SCORER, "prime_math", "customised", place)
    assert compared(request) == captured("scorer_preset", "EvaluateCustomModel")


def test_an_own_evaluator_on_a_file() -> None:
    place = PLACE._replace(data_uri="s3://data-bucket/inbox/scorer/gen_qa.jsonl")
    nova = msgspec.structs.replace(SCORER, base_model=NOVA)
    for subject, step in (("base", "EvaluateBaseModel"), ("customised", "EvaluateCustomModel")):
        expected = captured("scorer_own_nova", step)
        expected["ServerlessJobConfig"]["BaseModelArn"] = NOVA
        assert compared(evaluation_request(nova, EVALUATOR, subject, place)) == expected


@pytest.mark.parametrize(
    ("subject", "step"),
    [("base", "EvaluateBaseInferenceModel"), ("customised", "EvaluateCustomInferenceModel")],
)
def test_the_first_step_of_bedrock_s_judge_lets_the_model_answer(subject: str, step: str) -> None:
    place = PLACE._replace(data_uri="s3://data-bucket/inbox/llmaj/gen_qa.jsonl")
    expected = captured("llmaj", step)
    expected.pop("TrainingJobName")
    assert compared(inference_request(LLMAJ, subject, place)) == expected


@pytest.mark.parametrize(
    ("subject", "step"),
    [("base", "EvaluateBaseModelMetrics"), ("customised", "EvaluateCustomModelMetrics")],
)
def test_the_second_step_judges_what_the_first_one_left(subject: str, step: str) -> None:
    inference = PLACE._replace(name="nova-judge-r1-1")
    request = judging_request(
        LLMAJ,
        subject,
        PLACE,
        judge=LLMAJ.llmaj,
        answers_uri=answers_uri(subject, inference),
        custom_metrics_uri="s3://data-bucket/runs/r1/judge/0/custom_metrics.json",
    )
    expected = captured("llmaj", step)
    expected.pop("TrainingJobName")
    joined = expected["HyperParameters"]["inference_data_s3_path"]["Std:Join"]["Values"]
    resolved = [PLACE.output_uri, joined[1], inference.name, *joined[3:]]
    expected["HyperParameters"] |= {
        "name": PLACE.name,
        "inference_data_s3_path": "".join(resolved),
        # the SDK has no second attempt at a run, whose judgments must not lie beside the first's
        "output_path": f"{PLACE.output_uri}/{PLACE.name}",
    }
    assert compared(request) == expected


def test_own_metrics_of_the_judge_are_written_into_a_file() -> None:
    metric = msgspec.convert(packaged_metric("positive-sentiment"), CustomMetric)
    judge = ServerlessJudge(evaluator="m", custom_metrics=(metric,))
    (defined,) = json.loads(custom_metrics_file(judge) or b"")
    assert defined["customMetricDefinition"]["name"] == "PositiveSentiment"
    assert custom_metrics_file(ServerlessJudge(evaluator="m", metrics=("Refusal",))) is None


@pytest.mark.parametrize("serverless", [BENCHMARK, LLMAJ])
def test_right_sections_have_no_problem(serverless: Serverless) -> None:
    assert list(serverless_problems(serverless, None)) == []
    assert list(serverless_problems(SCORER, "prime_code")) == []
    assert list(serverless_problems(SCORER, EVALUATOR)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"subtask": "evaluation.task"},
            "serverless.subtask: mmlu has no sub-task 'evaluation.task'",
        ),
        (
            {"benchmark": "evaluation.x"},
            "serverless.benchmark: found 'evaluation.x'; the benchmarks",
        ),
    ],
)
def test_a_refusal_names_the_key_and_repeats_what_was_found(
    changes: dict[str, str], said: str
) -> None:
    serverless = msgspec.structs.replace(BENCHMARK, **({"subtask": ""} | changes))
    (problem,) = serverless_problems(serverless, None)
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("serverless", "scorer", "said"),
    [
        (BENCHMARK, "prime_math", "evaluation 'benchmark' uses none"),
        (SCORER, None, "takes prime_math, prime_code or the ARN"),
        (SCORER, "prime_maths", "takes prime_math, prime_code or the ARN"),
        (msgspec.structs.replace(BENCHMARK, base_model="llama"), None, "an ARN is expected"),
        (msgspec.structs.replace(BENCHMARK, model_package="x"), None, "model-package/<group>"),
        (msgspec.structs.replace(BENCHMARK, dataset="x"), None, "/DataSet/<name>"),
        (msgspec.structs.replace(BENCHMARK, benchmark=None), None, "serverless are mmlu"),
        (msgspec.structs.replace(BENCHMARK, benchmark="humaneval"), None, "serverless are mmlu"),
        (msgspec.structs.replace(BENCHMARK, subtask="anatomi"), None, "Did you mean 'anatomy'?"),
        (msgspec.structs.replace(BENCHMARK, llmaj=LLMAJ.llmaj), None, "only there"),
        (msgspec.structs.replace(LLMAJ, llmaj=None), None, "needed with evaluation llmaj"),
        (
            msgspec.structs.replace(LLMAJ, llmaj=ServerlessJudge(evaluator="m", metrics=("Tone",))),
            None,
            "built in are Correctness",
        ),
    ],
)
def test_wrong_sections_are_refused_with_what_is_allowed(
    serverless: Serverless, scorer: str | None, said: str
) -> None:
    (problem,) = serverless_problems(serverless, scorer)
    assert said in problem
