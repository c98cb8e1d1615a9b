"""The stand-in for Bedrock's batch inference: Converse records in, responses out in another order.

Requests are checked with botocore's model of the service. As Bedrock does, it refuses a job with
too few or too many records, and writes an error in the place of an answer it could not give.
"""

import random
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import botocore.session
import orjson
from botocore.validate import ParamValidator

from nova_judge.answers.batch_inference import FEWEST_RECORDS, MOST_RECORDS
from nova_judge_local.bedrock.runtime_api import answered
from nova_judge_local.job_files import parse_uri
from nova_judge_local.judges.model_answers import Answers
from nova_judge_local.sagemaker.api import ApiError, HttpAnswer, Parameters
from nova_judge_local.settings import EmulatorSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_JOBS, _JOB = "/model-invocation-jobs", "/model-invocation-job"


class BatchInference:
    """All batch inference jobs of the emulated account."""

    def __init__(self, settings: EmulatorSettings, answers: Answers, s3: "S3Client") -> None:
        self._settings, self._answers, self._s3 = settings, answers, s3
        self._jobs: dict[str, Parameters] = {}
        self._lock = threading.Lock()

    def http(self, method: str, path: str, body: bytes) -> HttpAnswer | None:
        """The four operations on jobs; None for any other call of Bedrock's."""
        path, _, query = unquote(path).partition("?")
        if not path.startswith(_JOB):
            return None
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        return answered(lambda: self._answer(method, path, asked, body))

    def _answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Parameters:
        if method == "GET" and path == _JOBS:
            return self.list_jobs(query)
        if method == "POST" and path == _JOB:
            return self.create(orjson.loads(body))
        identifier = path.removeprefix(f"{_JOB}/")
        if method == "POST":
            return self.stop(identifier.removesuffix("/stop"))
        return self._job(identifier)

    def create(self, parameters: Parameters) -> Parameters:
        """Start a job; the same token again is the same job."""
        model = botocore.session.get_session().get_service_model("bedrock")
        shape = model.shape_for("CreateModelInvocationJobRequest")
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise ApiError("ValidationException", report.generate_report())
        with self._lock:
            for arn, job in self._jobs.items():
                if job["clientRequestToken"] == parameters.get("clientRequestToken"):
                    return {"jobArn": arn}
            place = f"{self._settings.region}:{self._settings.account}"
            arn = f"arn:aws:bedrock:{place}:model-invocation-job/{uuid.uuid4().hex[:12]}"
            times = {"submitTime": _now(), "lastModifiedTime": _now()}
            self._jobs[arn] = {**parameters, "jobArn": arn, "status": "InProgress", **times}
        threading.Thread(target=self._run, args=(arn,), daemon=True).start()
        return {"jobArn": arn}

    def list_jobs(self, query: dict[str, str]) -> Parameters:
        """The jobs of a status, whose names contain a text."""
        with self._lock:
            return {
                "invocationJobSummaries": [
                    dict(job)
                    for job in self._jobs.values()
                    if query.get("nameContains", "") in job["jobName"]
                    and query.get("statusEquals", job["status"]) == job["status"]
                ]
            }

    def stop(self, identifier: str) -> Parameters:
        """Stop a job that still runs."""
        self._end(identifier, "Stopped", "stopped by a caller")
        return {}

    def _job(self, identifier: str) -> Parameters:
        with self._lock:
            if identifier not in self._jobs:
                raise ApiError("ResourceNotFoundException", f"{identifier} does not exist", 404)
            return dict(self._jobs[identifier])

    def _end(self, arn: str, status: str, message: str = "") -> None:
        with self._lock:
            if self._jobs[arn]["status"] == "InProgress":
                self._jobs[arn].update(status=status, message=message, lastModifiedTime=_now())

    def _run(self, arn: str) -> None:
        job = self._job(arn)
        try:
            self._work(arn, job)
        except Exception as error:  # the account must go on, and the job must say what happened
            self._end(arn, "Failed", f"{type(error).__name__}: {error}")
        else:
            self._end(arn, "Completed")

    def _work(self, arn: str, job: Parameters) -> None:
        place = parse_uri(job["inputDataConfig"]["s3InputDataConfig"]["s3Uri"])
        content = self._s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        records = [orjson.loads(line) for line in content.splitlines()]
        if not FEWEST_RECORDS <= len(records) <= MOST_RECORDS:
            raise ValueError(f"{len(records)} records; {FEWEST_RECORDS} to {MOST_RECORDS} may be")
        lines = [orjson.dumps(self._record(job["modelId"], record)) for record in records]
        random.Random(arn).shuffle(lines)  # noqa: S311 - a fixed disorder
        target = parse_uri(job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"])
        name = place.key.rsplit("/", 1)[-1]
        key = f"{target.key.rstrip('/')}/{arn.rsplit('/', 1)[-1]}/{name}.out"
        self._s3.put_object(Bucket=target.bucket, Key=key, Body=b"\n".join(lines))

    def _record(self, model: str, record: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**record, "modelOutput": self._answers.converse(model, record["modelInput"])}
        except ApiError as error:
            return {**record, "error": {"errorCode": error.status, "errorMessage": error.message}}


def _now() -> str:
    return datetime.now(UTC).isoformat()
