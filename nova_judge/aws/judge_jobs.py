"""The judge's training jobs that are under way."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import passing
from nova_judge.layout import run_of_output
from nova_judge.runs.stopping import RunningJob


def running(prefix: str) -> Iterator[RunningJob]:
    """The jobs in progress whose names begin with `prefix`."""
    pages = aws_clients.sagemaker().get_paginator("list_training_jobs")
    listed = pages.paginate(NameContains=prefix, StatusEquals="InProgress")
    for job in listed.search("TrainingJobSummaries"):
        name = job["TrainingJobName"]
        if name.startswith(prefix) and job["TrainingJobStatus"] == "InProgress":
            yield RunningJob(name, name, _run_id(name), job["CreationTime"].timestamp())


class JobSeen(NamedTuple):
    """A training job: its status, and when it was created and ended (epoch seconds)."""

    name: str
    status: str
    begun: float
    ended: float | None

    @property
    def hours(self) -> float:
        """Hours until its end, or now."""
        return max(0.0, (self.ended or time.time()) - self.begun) / 3600


def seen(prefix: str) -> list[JobSeen]:
    """The jobs whose names begin with `prefix`, whatever became of them, the oldest first."""
    pages = aws_clients.sagemaker().get_paginator("list_training_jobs")
    seen_jobs = [
        JobSeen(
            job["TrainingJobName"],
            job["TrainingJobStatus"],
            job["CreationTime"].timestamp(),
            job["TrainingEndTime"].timestamp() if "TrainingEndTime" in job else None,
        )
        for job in pages.paginate(NameContains=prefix).search("TrainingJobSummaries")
        if job["TrainingJobName"].startswith(prefix)
    ]
    return sorted(seen_jobs, key=lambda job: job.begun)


def stop(name: str) -> None:
    """Stop a job; one that ended meanwhile is fine."""
    with passing("ValidationException"):
        aws_clients.sagemaker().stop_training_job(TrainingJobName=name)


def _run_id(name: str) -> str | None:
    described = aws_clients.sagemaker().describe_training_job(TrainingJobName=name)
    run_and_job = run_of_output(described["OutputDataConfig"]["S3OutputPath"] + "/")
    return run_and_job[0] if run_and_job else None
