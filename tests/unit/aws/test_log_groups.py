"""Endpoints' logs, which SageMaker would keep for ever, are kept as long as the stage's others."""

import boto3
import pytest

from nova_judge.aws import log_groups

OURS = "/aws/sagemaker/Endpoints/nova-judge-dev-"


@pytest.fixture
def logs(account):
    log_groups._client.cache_clear()
    yield boto3.client("logs")
    log_groups._client.cache_clear()


def test_only_what_is_ours_and_kept_for_ever_is_changed(logs):
    for name in (f"{OURS}a", f"{OURS}b", "/aws/sagemaker/Endpoints/another"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=f"{OURS}b", retentionInDays=7)

    assert log_groups.expire(OURS, 30) == [f"{OURS}a"]
    assert log_groups.expire(OURS, 30) == []
    kept = {
        group["logGroupName"]: group.get("retentionInDays")
        for group in logs.describe_log_groups()["logGroups"]
    }
    assert kept == {f"{OURS}a": 30, f"{OURS}b": 7, "/aws/sagemaker/Endpoints/another": None}
