"""The clients of this account and region, as the environment's credentials see them."""

import functools
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

IMPATIENT = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2})


@functools.cache
def bedrock() -> "BedrockClient":
    """Bedrock's models and jobs."""
    return boto3.client("bedrock")


@functools.cache
def sagemaker() -> "SageMakerClient":
    """SageMaker's control plane."""
    return boto3.client("sagemaker")


@functools.cache
def stepfunctions() -> "SFNClient":
    """Step Functions."""
    return boto3.client("stepfunctions")


@functools.cache
def logs() -> Any:  # noqa: ANN401 - stubs for four calls
    """CloudWatch Logs."""
    make: Any = boto3.client
    return make("logs")


@functools.cache
def events() -> "EventBridgeClient":
    """EventBridge."""
    return boto3.client("events")


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
