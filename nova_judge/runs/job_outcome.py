"""Outcome of a judge job, from its state-change event.

The event: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import datetime
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nova_judge.errors import RequestError
from nova_judge.layout import run_of_output

EVENT_SOURCE = "nova-judge"
"""Source of all events that we put on the bus ourselves."""
JOBS_COMPLETED = "Nova Judge Jobs Completed"


_NO_CAPACITY = ("CapacityError", "InsufficientInstanceCapacity", "insufficient capacity")
_ENDS = {
    "Interrupted": "its spot instance was taken away",
    "MaxWaitTimeExceeded": "no spot instance was free within the longest wait",
}


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
    def failure(self) -> str | None:
        """Explain why the job gave no result, as a sentence; None when it did."""
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
    run_and_job = run_of_output(uri)
    if run_and_job is None:
        raise RequestError(
            f"training job {job['TrainingJobName']} writes to {uri}: not a run of ours"
        )
    status = job["TrainingJobStatus"]
    if status not in ("Completed", "Failed", "Stopped"):
        raise RequestError(f"job {job['TrainingJobName']} has not ended: it is {status}")
    return JobOutcome(
        run_id=run_and_job[0],
        number=run_and_job[1],
        name=job["TrainingJobName"],
        status=status,
        output_uri=uri,
        instance_type=job.get("ResourceConfig", {}).get("InstanceType", ""),
        instance_count=job.get("ResourceConfig", {}).get("InstanceCount", 0),
        started=_milliseconds(job.get("TrainingStartTime")),
        ended=_milliseconds(job.get("TrainingEndTime")),
        reason=_reason(status, job),
    )


def _milliseconds(value: object) -> int | None:
    """A time of an event (epoch milliseconds) or of the SDK integration (ISO 8601)."""
    if value is None:
        return None
    text = str(value)
    if text.isdigit():
        return int(text)
    return round(datetime.datetime.fromisoformat(text).timestamp() * 1000)


def _reason(status: str, job: Mapping[str, Any]) -> str | None:
    """Explain why a job ended without a result: AWS's reason, and what its status leaves open."""
    if status == "Completed":
        return None
    failure = job.get("FailureReason") or ""
    seen = [step.get("Status") for step in job.get("SecondaryStatusTransitions") or ()]
    ended = job.get("SecondaryStatus") or (seen[-1] if seen else None)
    why = [failure, *(text for at, text in _ENDS.items() if at in (ended, *seen[-2:]))]
    if ended == "MaxRuntimeExceeded":
        limit = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        within = f" ({int(limit):,} s)" if limit else ""
        why.append(
            f"it reached judge.max_runtime_s{within}: raise it in the recipe, or give each job "
            "fewer rows with judge.max_rows_per_job"
        )
    elif any(word in failure for word in _NO_CAPACITY):
        why.append("try later, with another judge.instance_type, or in another region")
    elif status == "Stopped" and not any(why):
        why.append(
            "it was stopped before it was done; CloudTrail's StopTrainingJob names who did. An "
            "aborted execution, `nova-judge stop` and the watchdog stop jobs too"
        )
    return "; ".join(text for text in why if text) or None
