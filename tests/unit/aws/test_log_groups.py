"""Endpoints' logs, which SageMaker would keep for ever, are kept as long as the stage's others."""

import boto3
import pytest

from nova_judge.aws import aws_clients, run_logs

OURS = "/aws/sagemaker/Endpoints/nova-judge-dev-"


@pytest.fixture
def logs(account):
    aws_clients.logs.cache_clear()
    yield boto3.client("logs")
    aws_clients.logs.cache_clear()


def test_only_what_is_ours_and_kept_for_ever_is_changed(logs):
    for name in (f"{OURS}a", f"{OURS}b", "/aws/sagemaker/Endpoints/another"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=f"{OURS}b", retentionInDays=7)

    assert run_logs.expire(OURS, 30) == [f"{OURS}a"]
    assert run_logs.expire(OURS, 30) == []
    kept = {
        group["logGroupName"]: group.get("retentionInDays")
        for group in logs.describe_log_groups()["logGroups"]
    }
    assert kept == {f"{OURS}a": 30, f"{OURS}b": 7, "/aws/sagemaker/Endpoints/another": None}
