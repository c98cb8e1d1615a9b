"""Models that AWS serves, asked: one of Bedrock's through Converse, one behind an endpoint in the
form that its server speaks.
"""

from typing import TYPE_CHECKING

import msgspec

from nova_judge.answers.answers import Answer
from nova_judge.answers.converse import answer_of, converse_request
from nova_judge.answers.retries import CallFailed, CallFailure, Outlook
from nova_judge.aws.calls import failures_in_our_words
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import RequestForm, answer_in

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
