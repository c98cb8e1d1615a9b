"""The stand-in for Bedrock's batch inference: Converse records in, responses out in another order.

Requests are checked with botocore's model of the service. As Bedrock does, it refuses a job with
too few or too many records, and writes an error in the place of an answer it could not give.
"""

import random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import orjson

from nova_judge.answers.batch_inference import FEWEST_RECORDS, MOST_RECORDS
from nova_judge.text import count_of
from nova_judge_local.bedrock.runtime_api import answered, check_pattern, new_arn
from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.job_book import JobBook, JobEntry
from nova_judge_local.job_channels import parse_uri, read
from nova_judge_local.judges.model_answers import Answers
from nova_judge_local.sagemaker.api import ApiError, HttpAnswer, Parameters, check_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_JOBS, _JOB = "/model-invocation-jobs", "/model-invocation-job"


class BatchInference:
    """All batch inference jobs of the emulated account."""

    def __init__(self, settings: EmulatorSettings, answers: Answers, s3: "S3Client") -> None:
        self._settings, self._answers, self._s3 = settings, answers, s3
        self._book = JobBook()

    def http(self, method: str, path: str, body: bytes) -> HttpAnswer | None:
        """The four operations on jobs; None for any other call of Bedrock's."""
        path, _, query = unquote(path).partition("?")
        if not path.startswith(_JOB):
            return None
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        return answered(lambda: self._answer(method, path, asked, body))

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Parameters:
        if method == "GET" and path == _JOBS:
            jobs = self._book.listed(query.get("nameContains", ""), query.get("statusEquals"))
            return {"invocationJobSummaries": [_shown(job) for job in jobs]}
        if method == "POST" and path == _JOB:
            return self.create(orjson.loads(body))
        job = self._book.get(path.removeprefix(f"{_JOB}/").removesuffix("/stop"))
        if method == "POST":
            self._book.end(job, "Stopped", "stopped by a caller")
            return {}
        return _shown(job)

    def create(self, parameters: Parameters) -> Parameters:
        """Start a job; the same token again is the same job."""
        check_request("bedrock", "CreateModelInvocationJob", parameters)
        check_pattern("CreateModelInvocationJobRequest", "modelId", parameters)
        arn, name = new_arn(self._settings, "model-invocation-job"), parameters["jobName"]
        token = parameters.get("clientRequestToken")
        job, new = self._book.enter(arn, name, parameters, token, taken=None)
        if new:
            self._book.start(job, self._work)
        return {"jobArn": job.key}

    def _work(self, job: JobEntry) -> None:
        arn, request = job.key, job.facts
        source = request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
        records = [orjson.loads(line) for line in read(self._s3, source).splitlines()]
        if not FEWEST_RECORDS <= len(records) <= MOST_RECORDS:
            raise ValueError(
                f"{count_of(len(records), 'record')}; {FEWEST_RECORDS} to {MOST_RECORDS:,} may be"
            )
        lines = [orjson.dumps(self._record(request["modelId"], record)) for record in records]
        random.Random(arn).shuffle(lines)  # noqa: S311 - a fixed disorder
        target = parse_uri(request["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"])
        name = source.rsplit("/", 1)[-1]
        key = f"{target.key.rstrip('/')}/{arn.rsplit('/', 1)[-1]}/{name}.out"
        self._s3.put_object(Bucket=target.bucket, Key=key, Body=b"\n".join(lines))

    def _record(self, model: str, record: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**record, "modelOutput": self._answers.converse(model, record["modelInput"])}
        except ApiError as error:
            return {**record, "error": {"errorCode": error.status, "errorMessage": error.message}}


def _shown(job: JobEntry) -> Parameters:
    times = {
        "submitTime": job.created.isoformat(),
        "lastModifiedTime": job.modified.isoformat(),
    }
    message = {"message": job.message} if job.message else {}
    return {**job.facts, "jobArn": job.key, "status": job.status, **times, **message}
