"""Bedrock's evaluation jobs locally, through boto3's own serializers, and who judges there."""

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from nova_judge.aws import aws_clients, evaluation_jobs
from nova_judge.errors import LocalModeError
from nova_judge.kinds.bedrock_scores import evaluation_job_request
from nova_judge.kinds.job import JobPlace
from nova_judge.recipe.bedrock_judge import BedrockJudge, CustomMetric, packaged_metric
from nova_judge.sources.completions import Completion
from nova_judge_local.bedrock.evaluations import EvaluationJobs
from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.judges import answer_judge as judging
from nova_judge_local.judges.answer_judge import (
    AnswerJudge,
    AnswerToJudge,
    Opinion,
    answer_judge,
    judged_line,
)
from nova_judge_local.sagemaker.api import ApiError

PROMPTS = [
    {
        "prompt": f"q{number}",
        "referenceResponse": "yes",
        "modelResponses": [{"response": "yes", "modelIdentifier": "B-b"}],
    }
    for number in range(3)
]


class Bucket:
    """What the stand-in asks of S3."""

    def __init__(self) -> None:
        self.objects = {"in": b"\n".join(json.dumps(line).encode() for line in PROMPTS)}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == "data"
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == "data"
        self.objects[Key] = Body


class Waiting:
    """A judge that has no opinion before it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def opinion(self, answer: AnswerToJudge, metric: str, custom: object) -> Opinion:
        del answer, metric, custom
        assert self.go.wait(20)
        return Opinion(1.0, "said")


def request(name: str = "nova-judge-k-1f2e-0-0", run: str = "k-0123456789ab") -> dict[str, Any]:
    return evaluation_job_request(
        BedrockJudge(evaluator="amazon.nova-pro-v1:0", metrics=("Correctness",)),
        JobPlace(
            name=name,
            role_arn="arn:aws:iam::123456789012:role/EvalRole",
            data_uri="s3://data/in",
            output_uri=f"s3://data/runs/{run}/judge/0/output/",
        ),
        "B-b",
    )


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def judge() -> Iterator[Waiting]:
    held = Waiting()
    yield held
    held.go.set()


@pytest.fixture
def jobs(bucket: Bucket, judge: Waiting, monkeypatch: pytest.MonkeyPatch) -> EvaluationJobs:
    made = EvaluationJobs(EmulatorSettings(), lambda: judge, bucket)
    client = boto3.client(
        "bedrock",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )

    def send(request: Any, **_: object) -> AWSResponse:
        path = request.url.partition("amazonaws.com")[2]
        answer = made.http(request.method, path)
        assert answer is not None, path
        status, headers, body = answer
        raw = io.BytesIO(body)
        raw.stream = lambda **_: iter([body])  # type: ignore[attr-defined]
        return AWSResponse(request.url, status, headers, raw)

    client.meta.events.register("before-send.bedrock", send)
    monkeypatch.setattr(aws_clients, "bedrock", lambda: client)
    return made


def ended(jobs: EvaluationJobs, arn: str) -> dict[str, Any]:
    for _ in range(400):
        found = jobs.get(arn)
        if found["status"] != "InProgress":
            return dict(found)
        threading.Event().wait(0.05)
    raise AssertionError(found)


def test_jobs_that_run_are_listed_with_their_runs_and_can_be_stopped(
    jobs: EvaluationJobs, judge: Waiting
) -> None:
    arn = jobs.create(request())["jobArn"]
    jobs.create(request("another-stages-job-0"))
    (found,) = evaluation_jobs.running("nova-judge-")
    assert (found.name, found.run_id) == ("nova-judge-k-1f2e-0-0", "k-0123456789ab")
    assert found.since > 0
    evaluation_jobs.stop(arn)
    evaluation_jobs.stop(arn)
    judge.go.set()
    assert ended(jobs, arn)["status"] == "Stopped"
    assert list(evaluation_jobs.running("nova-judge-")) == []


def test_a_job_that_is_gone_need_not_be_stopped(jobs: EvaluationJobs) -> None:
    assert list(evaluation_jobs.running("nova-judge-")) == []
    evaluation_jobs.stop("arn:aws:bedrock:us-east-1:123456789012:evaluation-job/abcdefghijkl")


def test_other_errors_of_stopping_are_told(
    jobs: EvaluationJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise ApiError("AccessDeniedException", "no", 403)

    monkeypatch.setattr(jobs, "stop", refuse)
    with pytest.raises(ClientError, match="AccessDenied"):
        evaluation_jobs.stop("arn:aws:bedrock:us-east-1:123456789012:evaluation-job/abcdefghijkl")


def test_a_job_writes_what_the_product_reads(
    jobs: EvaluationJobs, judge: Waiting, bucket: Bucket
) -> None:
    judge.go.set()
    arn = jobs.create(request())["jobArn"]
    assert ended(jobs, arn)["status"] == "Completed"
    (key,) = (key for key in bucket.objects if key.endswith("_output.jsonl"))
    start = "runs/k-0123456789ab/judge/0/output/nova-judge-k-1f2e-0-0/"
    assert key.startswith(start)
    assert "/models/B-b/taskTypes/General/datasets/" in key
    lines = [json.loads(line) for line in bucket.objects[key].splitlines()]
    assert [line["inputRecord"] for line in lines] == PROMPTS


def test_the_same_token_is_the_same_job_and_a_name_is_taken_once(jobs: EvaluationJobs) -> None:
    token = {"clientRequestToken": "token"}
    first = jobs.create(request() | token)
    assert jobs.create(request() | token) == first
    with pytest.raises(ApiError, match="exists already"):
        jobs.create(request() | {"clientRequestToken": "another-token"})


def test_what_botocore_refuses_is_refused(jobs: EvaluationJobs) -> None:
    with pytest.raises(ApiError, match="Missing required parameter"):
        jobs.create({key: value for key, value in request().items() if key != "roleArn"})


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([PROMPTS[0]] * 1001, "1,001 prompts; 1,000 are allowed"),
        ([PROMPTS[0] | {"modelResponses": []}], "line 1: expected exactly one response"),
        (
            [PROMPTS[0], PROMPTS[1] | {"modelResponses": [{"modelIdentifier": "A-a"}]}],
            "line 2: expected exactly one response of 'B-b'",
        ),
    ],
    ids=["too many", "no answer", "another source"],
)
def test_a_data_set_that_bedrock_refuses_fails_the_job(
    jobs: EvaluationJobs, bucket: Bucket, lines: list[object], told: str
) -> None:
    bucket.objects["in"] = b"\n".join(json.dumps(line).encode() for line in lines)
    found = ended(jobs, jobs.create(request())["jobArn"])
    assert found["status"] == "Failed"
    assert told in found["failureMessages"][0]


def score(judge: AnswerJudge, metric: str, answer: str, reference: str | None) -> Opinion:
    return judge.opinion(AnswerToJudge("q", answer, reference), metric, None)


def test_the_reference_judge_measures_two_metrics() -> None:
    judge = answer_judge("reference")
    assert score(judge, "Builtin.Correctness", "It is Paris", "Paris").result == pytest.approx(0.5)
    assert score(judge, "Builtin.Completeness", "It is Paris", "Paris").result == 1
    assert score(judge, "Builtin.Correctness", "Paris", None).result is None
    assert score(judge, "Builtin.Harmfulness", "Paris", "Paris").result is None
    custom = msgspec.convert(packaged_metric("positive-sentiment"), CustomMetric).definition()
    assert judge.opinion(AnswerToJudge("q", "a", "a"), custom["name"], custom).result is None


def test_other_judges_cannot_score_single_answers() -> None:
    with pytest.raises(LocalModeError, match="reference and openai:URL#MODEL can"):
        answer_judge("recorded:file.jsonl")
    with pytest.raises(LocalModeError, match="Name the judge's model"):
        answer_judge("openai:http://localhost:9/v1")


@pytest.mark.parametrize(
    ("said", "result", "told"),
    [
        ('Sure. {"rating": "3", "explanation": "mostly"}', 0.75, "mostly"),
        ('{"rating": 4, "explanation": "fully"}', 1.0, "fully"),
        ('{"rating": "9"}', None, "no rating in"),
        ("{rating: 3}", None, "no rating in"),
        ("I cannot say", None, "no rating in"),
    ],
)
def test_a_model_rates_on_the_scale_it_was_given(
    said: str, result: float | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def complete(server: object, model: str, messages: Any, parameters: object) -> Completion:
        del server, parameters
        assert model == "m"
        asked.append(messages[0]["content"])
        return Completion(said, "stop", 1, 1)

    monkeypatch.setattr(judging, "complete", complete)
    judge = answer_judge("openai:http://localhost:9/v1#m")
    opinion = score(judge, "Builtin.Correctness", "ANSWER", "REFERENCE")
    assert opinion.result == result
    assert told in opinion.explanation
    assert "ANSWER" in asked[0]
    assert "REFERENCE" in asked[0]


def test_an_own_metric_is_asked_with_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    custom = msgspec.convert(packaged_metric("positive-sentiment"), CustomMetric).definition()
    word = custom["ratingScale"][-1]

    def complete(server: object, model: str, messages: Any, parameters: object) -> Completion:
        del server, model, parameters
        asked.append(messages[0]["content"])
        said = json.dumps({"rating": word["definition"], "explanation": "w"})
        return Completion(said, "stop", 1, 1)

    monkeypatch.setattr(judging, "complete", complete)
    judge = answer_judge("openai:http://localhost:9/v1#m")
    record = {
        "prompt": "{{prediction}} stays a text",
        "modelResponses": [{"response": "ANSWER", "modelIdentifier": "B-b"}],
    }
    line = judged_line(judge, record, [custom["name"]], {custom["name"]: custom})
    (found,) = line["automatedEvaluationResult"]["scores"]
    assert found["result"] == next(iter(word["value"].values()))
    assert "ANSWER" in asked[0]
    if "{{prompt}}" in custom["instructions"]:
        assert "{{prediction}} stays a text" in asked[0]
