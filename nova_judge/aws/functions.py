"""Calls of the stacks' own functions, as the command line makes them."""

import functools
import json
from typing import TYPE_CHECKING, Any

import boto3

from nova_judge.errors import EndpointError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@functools.cache
def _client() -> "LambdaClient":
    return boto3.client("lambda")


def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function; its own error, in its own words, is raised as EndpointError."""
    answer = _client().invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise EndpointError(str(payload.get("errorMessage", payload)))
    return payload
