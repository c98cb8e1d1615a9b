"""Models that AWS serves, asked: one of Bedrock's through Converse, one behind an endpoint in the
form that its server speaks; by clients without retries, with failures in our words.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from nova_judge.answers.answers import Answer
from nova_judge.answers.converse import answer_of, converse_request
from nova_judge.answers.retries import (
    CONNECTION_BROKEN,
    CUT_SHORT,
    DETAIL_CHARACTERS,
    TIMED_OUT,
    CallFailed,
    CallFailure,
    Outlook,
    by_status,
)
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import RequestForm, answer_in

CONNECT_TIMEOUT_S = 5.0
CONTAINER_TIMED_OUT = "invocation timed out while waiting for a response from container"
"""What SageMaker says after 60 s, with a status of 0 inside
(https://github.com/aws/amazon-sagemaker-examples/issues/799)."""


def config(threads: int, call_timeout_s: float) -> Config:
    """One try per call, as long as it may take, and a connection for every thread.

    botocore's own retries share a quota that gives calls up whatever `max_attempts` says, so rows
    would be lost: `lane.Lane` retries instead.
    """
    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=call_timeout_s,
        max_pool_connections=threads,
        tcp_keepalive=True,
    )


@contextmanager
def failures_in_our_words() -> Iterator[None]:
    """Turn botocore's exceptions for one call into `CallFailed`; faults of ours pass unchanged."""
    try:
        yield
    except ClientError as error:
        raise CallFailed(_of_response(error)) from error
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise CallFailed(TIMED_OUT) from error
    except (ResponseStreamingError, IncompleteReadError, ResponseParserError) as error:
        raise CallFailed(CUT_SHORT) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallFailed(CONNECTION_BROKEN) from error


def _of_response(error: ClientError) -> CallFailure:
    response: dict[str, Any] = dict(error.response)
    refusal = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    original = response.get("OriginalStatusCode") or response.get("originalStatusCode")
    if "Endpoint" in refusal.get("Message", "") and "not found" in refusal.get("Message", ""):
        # SageMaker tells of a missing endpoint as of a bad request.
        status = HTTPStatus.NOT_FOUND
    message = response.get("OriginalMessage") or refusal.get("Message") or ""
    if status == HTTPStatus.FAILED_DEPENDENCY and CONTAINER_TIMED_OUT in message:
        return TIMED_OUT
    return by_status(status, refusal.get("Code", ""), message[:DETAIL_CHARACTERS], original)


if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

MOST_REQUEST_BYTES = 6_291_456
"""Bytes of one InvokeEndpoint request
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

TOO_LONG = CallFailure("prompt too long", Outlook.REFUSED, f"over {MOST_REQUEST_BYTES:,} bytes")


class ConversePort:
    """`answers.Port` for one Bedrock model or inference profile."""

    def __init__(self, client: "BedrockRuntimeClient", model: str, settings: Generation) -> None:
        self._client = client
        self._model = model
        self._request = converse_request(model, settings)

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        with failures_in_our_words():
            response = self._client.converse(
                modelId=self._model, **msgspec.to_builtins(self._request.to(prompt))
            )
        return answer_of(response)


class EndpointPort:
    """`answers.Port` for one endpoint, or one of the inference components on it."""

    def __init__(
        self,
        client: "SageMakerRuntimeClient",
        endpoint: str,
        form: RequestForm,
        component: str | None = None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._component = {} if component is None else {"InferenceComponentName": component}
        self._form = form

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        body = msgspec.json.encode(self._form.request(prompt))
        if len(body) > MOST_REQUEST_BYTES:
            raise CallFailed(TOO_LONG)
        with failures_in_our_words():
            response = self._client.invoke_endpoint(
                EndpointName=self._endpoint,
                ContentType="application/json",
                Body=body,
                **self._component,
            )
            reply = response["Body"].read()
        return answer_in(reply, self._form)
