"""Starts runs in a deployed stage, finds the execution that an upload started, fetches reports,
and calls the stage's own functions.
"""

import functools
import json
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from nova_judge.aws import account, aws_clients, s3
from nova_judge.aws.fetched_runs import is_plain
from nova_judge.errors import EndpointError, SubmitError
from nova_judge.layout import RunLayout
from nova_judge.partitions import partition_of
from nova_judge.records import S3Object

START_S = 120.0
"""Seconds from an upload to its execution; EventBridge usually takes one or two."""
_LATEST = 20


class Deployed(NamedTuple):
    """Outputs of a stage's stacks: the data bucket, the state machine's ARN, the runs table."""

    bucket: str
    machine: str
    table: str


def deployed(stage: str) -> Deployed:
    """The stage's bucket and state machine; SubmitError where its stacks are not there."""
    outputs = account.stack_outputs(stage)
    try:
        return Deployed(
            outputs["Storage"]["DataBucketName"],
            outputs["Evaluation"]["StateMachineArn"],
            outputs["Storage"]["RunsTableName"],
        )
    except KeyError:
        region = aws_clients.stepfunctions().meta.region_name
        raise SubmitError(
            f"stage {stage!r} is not deployed in {region} of this account: "
            f"run `make deploy STAGE={stage}`, or name another stage or region"
        ) from None


def upload(
    file: Path, bucket: str, key: str, names: Mapping[str, str], sent: Callable[[int], None]
) -> S3Object:
    """Put a file into the bucket, in parts where it is large; `sent` hears of bytes sent.

    `names`: what the report calls the candidates of the file, by `name-a` and `name-b`.
    """
    extra = {"Metadata": {field: urllib.parse.quote(name) for field, name in names.items()}}
    s3.client().upload_file(str(file), bucket, key, ExtraArgs=extra, Callback=sent)
    return s3.describe(bucket, key)


def start(machine: str, document: dict[str, Any]) -> str:
    """Start an execution as the console does; its ARN."""
    return aws_clients.stepfunctions().start_execution(
        stateMachineArn=machine, input=json.dumps(document)
    )["executionArn"]


def started_by(item: S3Object, machine: str) -> str:
    """The execution that the upload of this object version started; SubmitError without one."""
    others: set[str] = set()
    deadline = time.monotonic() + START_S
    client = aws_clients.stepfunctions()
    while time.monotonic() < deadline:
        latest = client.list_executions(stateMachineArn=machine, maxResults=_LATEST)
        for execution in latest["executions"]:
            arn = execution["executionArn"]
            if arn not in others and _is_about(arn, item):
                return arn
            others.add(arn)
        time.sleep(0.5)
    raise SubmitError(
        f"{item.uri} is uploaded, but started no execution within {START_S:.0f} s. Start it with "
        f"`nova-judge submit {item.uri}`, and look at the rule StartOnUpload and its dead letters"
    )


def _is_about(arn: str, item: S3Object) -> bool:
    try:
        asked = json.loads(
            aws_clients.stepfunctions().describe_execution(executionArn=arn).get("input", "{}")
        )
        uploaded = asked["object"]
    except (ValueError, KeyError, TypeError):
        return False
    version = uploaded.get("version-id", item.version)
    return bool(uploaded.get("key") == item.key and version == item.version)


def download_report(bucket: str, run_id: str, folder: Path) -> Path | None:
    """Fetch the files of a run's report into `folder`/report; None where there is none."""
    target = folder / "report"
    any_file = False
    prefix = RunLayout(run_id).report
    for key in s3.keys(bucket, prefix):
        name = key.removeprefix(prefix)
        if not is_plain(name):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        s3.client().download_file(bucket, key, str(target / name))
        any_file = True
    return target if any_file else None


def console_link(arn: str) -> str:
    """Link to an execution in the AWS console."""
    region = arn.split(":")[3]
    return (
        f"https://{region}.{partition_of(region).console}/states/home?region={region}"
        f"#/v2/executions/details/{arn}"
    )


_client = functools.cache(lambda: boto3.client("lambda"))


def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function; its own error, in its own words, is raised as EndpointError."""
    answer = _client().invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise EndpointError(str(payload.get("errorMessage", payload)))
    return payload
