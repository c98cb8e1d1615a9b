"""The clients of this account and region, as the environment's credentials see them."""

import functools
from typing import Any

import boto3
from botocore.config import Config

IMPATIENT = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})


bedrock = functools.cache(lambda: boto3.client("bedrock"))
"""Bedrock's models and jobs."""
sagemaker = functools.cache(lambda: boto3.client("sagemaker"))
"""SageMaker's control plane."""
stepfunctions = functools.cache(lambda: boto3.client("stepfunctions"))
"""Step Functions."""
events = functools.cache(lambda: boto3.client("events"))
"""EventBridge."""


@functools.cache
def logs() -> Any:  # noqa: ANN401 - stubs for four calls
    """CloudWatch Logs."""
    make: Any = boto3.client
    return make("logs")


@functools.cache
def sns() -> Any:  # noqa: ANN401 - stubs for one call
    """Topics."""
    make: Any = boto3.client
    return make("sns")


@functools.cache
def impatient(service: str) -> Any:  # noqa: ANN401 - one typed client a service: many stubs
    """A client for checks and probes, which wait for nothing long."""
    make: Any = boto3.client
    return make(service, config=IMPATIENT)
