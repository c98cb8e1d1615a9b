"""One account in this process, and runs as the report reads them: completed and failed."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, settings
from moto import mock_aws
from moto.core.base_backend import BaseBackend
from moto.moto_api._internal.models import moto_api_backend
from moto.s3.models import S3Backend

from lambdas.settings import (
    FailureSettings,
    JobSettings,
    environment,
)
from nova_judge.aws import aws_clients, runs_table, s3
from nova_judge.findings.metrics import failed_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.records import JudgedRow
from tests.made import generated, undrawn

# A busy machine is not a finding.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy")

# Its own imports the addresses of S3 anew, twice a request.
S3Backend._url_module = BaseBackend._url_module

BUCKET, TABLE = "data", "runs"
RECIPE = """
kind: llm_judge
judge:
  instance_type: ml.g5.12xlarge
  max_rows_per_job: {rows}
  nova:
    run:
      model_type: amazon.nova-micro-v1:0:128k
      model_name_or_path: nova-micro/prod
      replicas: 1
    evaluation: {{task: llm_judge, strategy: judge, metric: all}}
    inference: {{top_k: 50, top_p: 1.0, temperature: 0}}
shards: {{bytes: {shard_bytes}}}
"""


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function."""

    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


class Account:
    """The emulated account, read and written as a user would."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.sns = boto3.client("sns")
        self.table = boto3.resource("dynamodb").Table(TABLE)

    def put(self, key: str, content: bytes) -> str:
        """The version of the object."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def json(self, key: str):
        return json.loads(self.read(key))

    def lines(self, key: str) -> list:
        return [json.loads(line) for line in self.read(key).splitlines()]

    def keys(self, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def run(self, run_id: str) -> dict:
        return self.table.get_item(Key={"run_id": run_id}).get("Item", {})


CACHED = (
    *(s3.client, runs_table.opened, aws_clients.bedrock, aws_clients.logs, aws_clients.events),
    *(aws_clients.sagemaker, aws_clients.stepfunctions, aws_clients.sns, aws_clients.impatient),
)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of S3 in which there is the bucket `data`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3.client.cache_clear()
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        yield client
    s3.client.cache_clear()


@pytest.fixture(scope="module")
def aws() -> Iterator[Account]:
    """AWS in this process for all tests here: clients are slow to make, so they are made once."""
    known = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in {**known, "AWS_DEFAULT_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        for cached in CACHED:
            cached.cache_clear()
        yield Account()
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def account(aws, monkeypatch) -> Account:
    """The account, empty but for what the storage and results stacks hold."""
    moto_api_backend.reset()
    aws.s3.create_bucket(Bucket=BUCKET)
    enabled = {"Status": "Enabled"}
    aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=enabled)
    aws.table.meta.client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "run_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "run_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    topic = aws.sns.create_topic(Name="reports")["TopicArn"]
    role = "arn:aws:iam::123456789012:role/judge"
    common = {"stage": "dev", "data_bucket": BUCKET, "runs_table": TABLE}
    for record in (
        JobSettings(**common, job_prefix="nova-judge-dev", job_role_arn=role),
        FailureSettings(**common, job_prefix="nova-judge-dev", endpoints="{}", topic_arn=topic),
    ):
        for name, value in environment(record).items():
            monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def recipe(account):
    """Puts the account's recipe `own`: rows per judge job, bytes per shard, `more` keys."""
    return functools.partial(_put_recipe, account)


def _put_recipe(
    account: Account, rows: int = 1_000, shard_bytes: int = 1_024, more: str = ""
) -> None:
    text = RECIPE.format(rows=rows, shard_bytes=shard_bytes) + more
    account.put("recipes/own.yaml", text.encode())


@pytest.fixture(autouse=True)
def quick_figures(request, monkeypatch) -> None:
    """Only tests marked `drawn` look at what is drawn."""
    if request.node.get_closest_marker("drawn") is None:
        undrawn.undraw(monkeypatch.setattr)


@pytest.fixture(scope="session")
def rows() -> list[JudgedRow]:
    return generated.judged_rows(240)


@pytest.fixture(scope="session")
def rubric_metrics(rows: list[JudgedRow]) -> Metrics:
    return generated.metrics(rows, generated.JOB)


@pytest.fixture(scope="session")
def failed_run_metrics() -> Metrics:
    return failed_metrics(generated.facts(240), "RunJudgeJobs", generated.FAILURE)
