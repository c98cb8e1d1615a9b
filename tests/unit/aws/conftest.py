"""An empty bucket in this process."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from nova_judge.aws import s3


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
