"""How a judge job ended, from its state-change event.

The event: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nova_judge.errors import RequestError
from nova_judge.layout import run_of_output

JOBS_COMPLETED = "Nova Judge Jobs Completed"


class JobOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One ended judge job. Times are epoch milliseconds; `reason` stands unless it completed.

    A serverless job has no instance: its type is empty.
    """

    run_id: str
    number: int
    name: str
    status: Literal["Completed", "Failed", "Stopped"]
    output_uri: str
    instance_type: str
    instance_count: int
    started: int | None = None
    ended: int | None = None
    reason: str | None = None

    @property
    def archive_uri(self) -> str:
        """Where the container's output lies; the event itself does not say."""
        return f"{self.output_uri.rstrip('/')}/{self.name}/output/output.tar.gz"

    @property
    def failure(self) -> str | None:
        """Why the job gave no result, as a sentence; None when it did."""
        if self.status == "Completed":
            return None
        return f"judge job {self.name} {self.status}: {self.reason or 'no reason was given'}"


def outcomes_of_event(event: Mapping[str, Any]) -> list[JobOutcome]:
    """The jobs of ours that an event says have ended.

    A `SageMaker Training Job State Change` tells of one job; the state machine's own event tells of
    all jobs that Bedrock completed. Raises RequestError when it is neither.
    """
    detail = event["detail"]
    if event["detail-type"] != JOBS_COMPLETED:
        return [outcome_of_job(detail)]
    return [
        JobOutcome(
            run_id=detail["run_id"],
            number=job["number"],
            name=job["name"],
            status="Completed",
            output_uri=job["output"],
            instance_type="",
            instance_count=0,
        )
        for job in detail["jobs"]
    ]


def outcome_of_job(job: Mapping[str, Any]) -> JobOutcome:
    """The same from the detail of an event or from DescribeTrainingJob's answer."""
    uri = job["OutputDataConfig"]["S3OutputPath"]
    found = run_of_output(uri)
    if found is None:
        raise RequestError(
            f"training job {job['TrainingJobName']} writes to {uri}: not a run of ours"
        )
    status = job["TrainingJobStatus"]
    if status not in ("Completed", "Failed", "Stopped"):
        raise RequestError(f"job {job['TrainingJobName']} has not ended: it is {status}")
    return JobOutcome(
        run_id=found[0],
        number=found[1],
        name=job["TrainingJobName"],
        status=status,
        output_uri=uri,
        instance_type=job.get("ResourceConfig", {}).get("InstanceType", ""),
        instance_count=job.get("ResourceConfig", {}).get("InstanceCount", 0),
        started=_milliseconds(job.get("TrainingStartTime")),
        ended=_milliseconds(job.get("TrainingEndTime")),
        reason=_reason(status, job.get("FailureReason")),
    )


def _milliseconds(value: object) -> int | None:
    return int(str(value)) if value is not None else None


def _reason(status: str, reason: str | None) -> str | None:
    if reason or status == "Completed":
        return reason
    return "it was stopped before it was done" if status == "Stopped" else None
