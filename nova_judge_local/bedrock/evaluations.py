"""The stand-in for Bedrock's evaluation jobs: create, look at, list and stop, with their limits.

Requests are checked with botocore's model of the service, and the rules that the model leaves out:
one answer per line, its source named, at most 1,000 prompts.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import orjson

from nova_judge.errors import LocalModeError
from nova_judge.recipe.bedrock_judge import bedrock_evaluation
from nova_judge.text import count_of
from nova_judge_local.bedrock.runtime_api import answered, new_arn
from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.job_book import JobBook, JobEntry
from nova_judge_local.job_channels import parse_uri, read
from nova_judge_local.judges.answer_judge import AnswerJudge, judged_lines
from nova_judge_local.sagemaker.api import ApiError, HttpAnswer, Parameters, check_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_JOBS, _JOB = "/evaluation-jobs", "/evaluation-job/"


class EvaluationJobs:
    """All jobs of the emulated account; `judge` is called once per job, so that it may refuse."""

    def __init__(
        self, settings: EmulatorSettings, judge: Callable[[], AnswerJudge], s3: "S3Client"
    ) -> None:
        self._settings, self._judge, self._s3 = settings, judge, s3
        self._book = JobBook()

    def create(self, parameters: Parameters) -> Parameters:
        """Start a job under a name that is not taken; the same token again is the same job."""
        check_request("bedrock", "CreateEvaluationJob", parameters)
        arn, name = new_arn(self._settings, "evaluation-job"), parameters["jobName"]
        taken = ApiError("ConflictException", f"{name} exists already")
        token = parameters.get("clientRequestToken")
        job, new = self._book.enter(arn, name, parameters, token, taken)
        if new:
            self._book.start(job, self._work)
        return {"jobArn": job.key}

    def get(self, identifier: str) -> Parameters:
        """The job as GetEvaluationJob gives it."""
        job = self._book.get(identifier)
        reasons = {"failureMessages": [job.message]} if job.message else {}
        return {**job.facts, "jobArn": job.key, "status": job.status, **reasons}

    def stop(self, identifier: str) -> Parameters:
        """Stop a job that still runs."""
        self._book.end(self._book.get(identifier), "Stopped")
        return {}

    def http(self, method: str, path: str) -> HttpAnswer | None:
        """List, get and stop; None for any other call of Bedrock's."""
        path, _, query = path.partition("?")
        path = unquote(path)
        if method == "GET" and path == _JOBS:
            asked = {name: values[-1] for name, values in parse_qs(query).items()}
            return answered(lambda: {"jobSummaries": self._summaries(asked)})
        if method == "GET" and path.startswith(f"{_JOBS}/"):
            return answered(lambda: self.get(path.removeprefix(f"{_JOBS}/")))
        if method == "POST" and path.startswith(_JOB) and path.endswith("/stop"):
            return answered(lambda: self.stop(path.removeprefix(_JOB).removesuffix("/stop")))
        return None

    def _summaries(self, asked: Mapping[str, str]) -> list[Parameters]:
        return [
            {
                "jobArn": job.key,
                "jobName": job.name,
                "status": job.status,
                "creationTime": job.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "jobType": "Automated",
                "evaluationTaskTypes": ["General"],
            }
            for job in self._book.listed(asked.get("nameContains", ""), asked.get("statusEquals"))
        ]

    def _work(self, job: JobEntry) -> None:
        request = job.facts
        automated = request["evaluationConfig"]["automated"]
        config = automated["datasetMetricConfigs"][0]
        source = request["inferenceConfig"]["models"][0]["precomputedInferenceSource"]
        content = read(self._s3, config["dataset"]["datasetLocation"]["s3Uri"])
        model = source["inferenceSourceIdentifier"]
        records = list(_records(content, model))
        own = automated.get("customMetricConfig", {}).get("customMetrics", [])
        custom = custom_definitions(own)
        at_once = self._settings.judge_calls.concurrency
        lines = judged_lines(self._judge(), records, config["metricNames"], custom, at_once)
        base = f"{request['outputDataConfig']['s3Uri'].rstrip('/')}/{request['jobName']}"
        write_output(self._s3, base, model, config["dataset"]["name"], lines)


def custom_definitions(metrics: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Own metrics by name."""
    held = [metric["customMetricDefinition"] for metric in metrics]
    return {definition["name"]: definition for definition in held}


def write_output(
    s3: "S3Client", base: str, model: str, dataset: str, lines: Iterable[Mapping[str, Any]]
) -> None:
    """Write judgments where and as Bedrock does, below `<output>/<job name>`."""
    place = parse_uri(base)
    folder = f"{place.key}/{uuid.uuid4()}/models/{model}/taskTypes/General/datasets/{dataset}"
    body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    s3.put_object(Bucket=place.bucket, Key=f"{folder}/{uuid.uuid4()}_output.jsonl", Body=body)


def _records(content: bytes, source: str) -> Iterable[dict[str, Any]]:
    lines = [line for line in content.splitlines() if line.strip()]
    most = bedrock_evaluation().limits.prompts_per_job
    if len(lines) > most:
        raise LocalModeError(
            f"the data set holds {count_of(len(lines), 'prompt')}; {most:,} are allowed"
        )
    for number, line in enumerate(lines, start=1):
        record = json.loads(line)
        responses = record.get("modelResponses", [])
        if len(responses) != 1 or responses[0].get("modelIdentifier") != source:
            raise LocalModeError(
                f"line {number}: expected exactly one response of {source!r} in modelResponses"
            )
        yield record
