"""SageMaker endpoints: created when needed, deleted when not."""

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

IN_SERVICE = "InService"


@functools.cache
def _client() -> "SageMakerClient":
    return boto3.client("sagemaker")


def ensure(name: str, configs: Mapping[str, str]) -> str:
    """Create the endpoint unless there is one; its status."""
    try:
        return _client().describe_endpoint(EndpointName=name)["EndpointStatus"]
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
    _client().create_endpoint(EndpointName=name, EndpointConfigName=next(iter(configs.values())))
    return "Creating"


def delete(name: str) -> None:
    """Delete the endpoint if there is one."""
    try:
        _client().delete_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
