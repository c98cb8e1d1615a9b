"""Bedrock's batch inference jobs: begun, looked at, listed, stopped."""

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.exceptions import ClientError

from nova_judge.answers.batch_inference import JobStatus
from nova_judge.aws.client_errors import code_of
from nova_judge.layout import RUNS
from nova_judge.runs.orphans import RunningJob

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock.type_defs import ModelInvocationJobS3OutputDataConfigTypeDef

_BUSY = {"ServiceQuotaExceededException", "ThrottlingException"}
HOURS = 72


class BatchJob(NamedTuple):
    """Request of one job. URIs of S3; Bedrock reads and writes in the role `role_arn`.

    `kms_key` encrypts what it writes; "" for S3's own.
    """

    name: str
    model: str
    role_arn: str
    input_uri: str
    output_uri: str
    tags: Mapping[str, str]
    kms_key: str = ""


@functools.cache
def _client() -> "BedrockClient":
    return boto3.client("bedrock")


def begin(job: BatchJob) -> str | None:
    """Begin a job, once however often it is asked for; None while the account has too many."""
    output: ModelInvocationJobS3OutputDataConfigTypeDef = {"s3Uri": job.output_uri}
    if job.kms_key:
        output["s3EncryptionKeyId"] = job.kms_key
    try:
        begun = _client().create_model_invocation_job(
            jobName=job.name,
            clientRequestToken=job.name,
            roleArn=job.role_arn,
            modelId=job.model,
            modelInvocationType="Converse",
            inputDataConfig={
                "s3InputDataConfig": {"s3Uri": job.input_uri, "s3InputFormat": "JSONL"}
            },
            outputDataConfig={"s3OutputDataConfig": output},
            timeoutDurationInHours=HOURS,
            tags=[{"key": key, "value": value} for key, value in job.tags.items()],
        )
    except ClientError as error:
        if code_of(error) in _BUSY:
            return None
        raise
    return begun["jobArn"]


def status(arn: str) -> JobStatus:
    """Ask for a job's status."""
    job = _client().get_model_invocation_job(jobIdentifier=arn)
    return JobStatus(job["status"], job.get("message", ""))


def running(prefix: str) -> Iterator[RunningJob]:
    """The jobs under way whose names begin with `prefix`; their ARNs stop them."""
    pages = _client().get_paginator("list_model_invocation_jobs")
    for wanted in ("Submitted", "Validating", "Scheduled", "InProgress"):
        for page in pages.paginate(nameContains=prefix.rstrip("-"), statusEquals=wanted):
            for job in page.get("invocationJobSummaries", ()):
                name, since = job["jobName"], job["submitTime"].timestamp()
                if not name.startswith(prefix):
                    continue
                uri = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
                run_id = uri.partition(f"/{RUNS}")[2].partition("/")[0]
                yield RunningJob(name, job["jobArn"], run_id or None, since)


def stop(arn: str) -> None:
    """Stop a job; one that ended meanwhile is fine."""
    try:
        _client().stop_model_invocation_job(jobIdentifier=arn)
    except ClientError as error:
        if code_of(error) not in {
            "ConflictException",
            "ValidationException",
        }:
            raise
