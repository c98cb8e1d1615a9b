"""Bedrock's evaluation jobs that are under way."""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from nova_judge.aws.client_errors import code_of
from nova_judge.layout import run_of_output
from nova_judge.runs.orphans import RunningJob

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

_ENDED = {"ConflictException", "ResourceNotFoundException", "ValidationException"}


@functools.cache
def _client() -> "BedrockClient":
    return boto3.client("bedrock")


def running(prefix: str) -> Iterator[RunningJob]:
    """The jobs in progress whose names begin with `prefix`; their ARNs stop them."""
    pages = _client().get_paginator("list_evaluation_jobs")
    part = prefix.rstrip("-")  # Bedrock refuses part of a name that no whole name could be
    for page in pages.paginate(nameContains=part, statusEquals="InProgress"):
        for job in page.get("jobSummaries", ()):
            name, arn = job["jobName"], job["jobArn"]
            if name.startswith(prefix):
                yield RunningJob(name, arn, _run_id(arn), job["creationTime"].timestamp())


def stop(arn: str) -> None:
    """Stop a job; one that ended meanwhile is fine."""
    try:
        _client().stop_evaluation_job(jobIdentifier=arn)
    except ClientError as error:
        if code_of(error) not in _ENDED:
            raise


def _run_id(arn: str) -> str | None:
    described = _client().get_evaluation_job(jobIdentifier=arn)
    run_and_job = run_of_output(described["outputDataConfig"]["s3Uri"] + "/")
    return run_and_job[0] if run_and_job else None
