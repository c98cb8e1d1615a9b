"""Bedrock's batch inference jobs: begun, looked at, listed, stopped."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from nova_judge.answers.batch_inference import JobStatus
from nova_judge.aws import aws_clients
from nova_judge.aws.client_errors import passing
from nova_judge.layout import RUNS
from nova_judge.runs.stopping import RunningJob

if TYPE_CHECKING:
    from mypy_boto3_bedrock.type_defs import ModelInvocationJobS3OutputDataConfigTypeDef

_BUSY = {"ServiceQuotaExceededException", "ThrottlingException"}
HOURS = 72


class BatchPlace(NamedTuple):
    """How a stage begins batch jobs: names, the role in which Bedrock reads and writes, and tags.

    `kms_key` encrypts what it writes; "" for S3's own.
    """

    prefix: str
    role_arn: str
    stage: str
    kms_key: str = ""


def begin(
    name: str,
    model: str,
    place: BatchPlace,
    input_uri: str,
    output_uri: str,
    tags: Mapping[str, str],
) -> str | None:
    """Begin a job, once however often it is asked for; None while the account has too many."""
    output: ModelInvocationJobS3OutputDataConfigTypeDef = {"s3Uri": output_uri}
    if place.kms_key:
        output["s3EncryptionKeyId"] = place.kms_key
    with passing(*_BUSY):
        begun = aws_clients.bedrock().create_model_invocation_job(
            jobName=name,
            clientRequestToken=name,
            roleArn=place.role_arn,
            modelId=model,
            modelInvocationType="Converse",
            inputDataConfig={"s3InputDataConfig": {"s3Uri": input_uri, "s3InputFormat": "JSONL"}},
            outputDataConfig={"s3OutputDataConfig": output},
            timeoutDurationInHours=HOURS,
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )
        return begun["jobArn"]
    return None


def status(arn: str) -> JobStatus:
    """Ask for a job's status."""
    job = aws_clients.bedrock().get_model_invocation_job(jobIdentifier=arn)
    return JobStatus(job["status"], job.get("message", ""))


def running(prefix: str) -> Iterator[RunningJob]:
    """The jobs under way whose names begin with `prefix`; their ARNs stop them."""
    pages = aws_clients.bedrock().get_paginator("list_model_invocation_jobs")
    for wanted in ("Submitted", "Validating", "Scheduled", "InProgress"):
        listed = pages.paginate(nameContains=prefix.rstrip("-"), statusEquals=wanted)
        for job in listed.search("invocationJobSummaries || `[]`"):
            name, since = job["jobName"], job["submitTime"].timestamp()
            if name.startswith(prefix):
                uri = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
                run_id = uri.partition(f"/{RUNS}")[2].partition("/")[0]
                yield RunningJob(name, job["jobArn"], run_id or None, since)


def stop(arn: str) -> None:
    """Stop a job; one that ended meanwhile is fine."""
    with passing("ConflictException", "ValidationException"):
        aws_clients.bedrock().stop_model_invocation_job(jobIdentifier=arn)
