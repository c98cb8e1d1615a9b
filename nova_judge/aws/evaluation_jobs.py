"""Bedrock's evaluation jobs that are under way."""

from collections.abc import Iterator

from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import passing
from nova_judge.layout import run_of_output
from nova_judge.runs.stopping import RunningJob


def running(prefix: str) -> Iterator[RunningJob]:
    """The jobs in progress whose names begin with `prefix`; their ARNs stop them."""
    pages = aws_clients.bedrock().get_paginator("list_evaluation_jobs")
    part = prefix.rstrip("-")  # Bedrock refuses part of a name that no whole name could be
    for page in pages.paginate(nameContains=part, statusEquals="InProgress"):
        for job in page.get("jobSummaries", ()):
            name, arn = job["jobName"], job["jobArn"]
            if name.startswith(prefix):
                yield RunningJob(name, arn, _run_id(arn), job["creationTime"].timestamp())


def stop(arn: str) -> None:
    """Stop a job; one that ended meanwhile is fine."""
    with passing("ConflictException", "ResourceNotFoundException", "ValidationException"):
        aws_clients.bedrock().stop_evaluation_job(jobIdentifier=arn)


def _run_id(arn: str) -> str | None:
    described = aws_clients.bedrock().get_evaluation_job(jobIdentifier=arn)
    run_and_job = run_of_output(described["outputDataConfig"]["s3Uri"] + "/")
    return run_and_job[0] if run_and_job else None
