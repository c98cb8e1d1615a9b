"""Outcome of a judge job, from its state-change event.

The event: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import datetime
from typing import Literal

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

    A serverless job has no instance: its type is empty. `tokens`: those read and written by a judge
    that was asked by calls.
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
    tokens: tuple[int, int] | None = None

    @property
    def hours(self) -> float:
        """The time that it is billed for; 0 where it never began."""
        if self.started is None or self.ended is None:
            return 0.0
        return (self.ended - self.started) / 3_600_000

    @property
    def failure(self) -> str | None:
        """Explain why the job gave no result, as a sentence; None when it did."""
        if self.status == "Completed":
            return None
        return f"judge job {self.name} {self.status}: {self.reason or 'no reason was given'}"


class _Transition(msgspec.Struct):
    Status: str | None = None


class _Resources(msgspec.Struct):
    InstanceType: str = ""
    InstanceCount: int = 0


class _Output(msgspec.Struct):
    S3OutputPath: str


class _Limits(msgspec.Struct):
    MaxRuntimeInSeconds: int | None = None


class _JobDescription(msgspec.Struct):
    """A training job, as an event's detail and DescribeTrainingJob give it."""

    TrainingJobName: str
    TrainingJobStatus: str
    OutputDataConfig: _Output
    ResourceConfig: _Resources | None = None
    SecondaryStatus: str | None = None
    SecondaryStatusTransitions: list[_Transition] | None = None
    FailureReason: str | None = None
    StoppingCondition: _Limits | None = None
    TrainingStartTime: int | str | None = None
    TrainingEndTime: int | str | None = None

    @property
    def last_statuses(self) -> list[str | None]:
        """The secondary statuses that the job went through last, the newest first."""
        seen = [step.Status for step in self.SecondaryStatusTransitions or ()][-2:]
        return [self.SecondaryStatus or (seen[-1] if seen else None), *seen]


class _CompletedJob(msgspec.Struct):
    number: int
    name: str
    output: str
    tokens: tuple[int, int] | None = None


class _CompletedJobs(msgspec.Struct):
    run_id: str
    jobs: list[_CompletedJob]


class _JobEvent(msgspec.Struct, rename="kebab"):
    detail_type: str
    detail: object


def outcomes_of_event(event: object) -> list[JobOutcome]:
    """The jobs of ours that an event says have ended.

    A `SageMaker Training Job State Change` tells of one job; the state machine's own event tells of
    all jobs that Bedrock completed, or whose judge was asked by calls. Raises RequestError when it
    is neither.
    """
    change = msgspec.convert(event, _JobEvent)
    if change.detail_type != JOBS_COMPLETED:
        return [outcome_of_job(change.detail)]
    detail = msgspec.convert(change.detail, _CompletedJobs)
    return [
        JobOutcome(
            run_id=detail.run_id,
            number=job.number,
            name=job.name,
            status="Completed",
            output_uri=job.output,
            instance_type="",
            instance_count=0,
            tokens=job.tokens,
        )
        for job in detail.jobs
    ]


def outcome_of_job(description: object) -> JobOutcome:
    """The same from the detail of an event or from DescribeTrainingJob's answer."""
    job = msgspec.convert(description, _JobDescription)
    uri = job.OutputDataConfig.S3OutputPath
    run_and_job = run_of_output(uri)
    if run_and_job is None:
        raise RequestError(f"training job {job.TrainingJobName} writes to {uri}: not a run of ours")
    status = job.TrainingJobStatus
    if status not in ("Completed", "Failed", "Stopped"):
        raise RequestError(f"job {job.TrainingJobName} has not ended: it is {status}")
    resources = job.ResourceConfig or _Resources()
    return JobOutcome(
        run_id=run_and_job[0],
        number=run_and_job[1],
        name=job.TrainingJobName,
        status=status,  # type: ignore[arg-type]
        output_uri=uri,
        instance_type=resources.InstanceType,
        instance_count=resources.InstanceCount,
        started=_milliseconds(job.TrainingStartTime),
        ended=_milliseconds(job.TrainingEndTime),
        reason=_reason(job),
    )


def _milliseconds(value: int | str | None) -> int | None:
    """A time of an event (epoch milliseconds) or of the SDK integration (ISO 8601)."""
    if value is None or isinstance(value, int):
        return value
    if value.isdigit():
        return int(value)
    return round(datetime.datetime.fromisoformat(value).timestamp() * 1000)


def _reason(job: _JobDescription) -> str | None:
    """Explain why a job ended without a result: AWS's reason, and what its status leaves open."""
    if job.TrainingJobStatus == "Completed":
        return None
    failure, last = job.FailureReason or "", job.last_statuses
    why = [failure, *(text for at, text in _ENDS.items() if at in last)]
    if last[0] == "MaxRuntimeExceeded":
        limit = job.StoppingCondition and job.StoppingCondition.MaxRuntimeInSeconds
        within = f" ({limit:,} s)" if limit else ""
        why.append(
            f"it reached judge.max_runtime_s{within}: raise it in the recipe, or give each job "
            "fewer rows with judge.max_rows_per_job"
        )
    elif any(word in failure for word in _NO_CAPACITY):
        why.append("try later, with another judge.instance_type, or in another region")
    elif job.TrainingJobStatus == "Stopped" and not any(why):
        why.append(
            "it was stopped before it was done; CloudTrail's StopTrainingJob names who did. An "
            "aborted execution, `nova-judge stop` and the watchdog stop jobs too"
        )
    return "; ".join(text for text in why if text) or None
