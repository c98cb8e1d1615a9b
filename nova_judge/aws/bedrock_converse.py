"""A Bedrock model, asked through Converse: one body for every model."""

from typing import TYPE_CHECKING

import msgspec

from nova_judge.answers.answers import Answer
from nova_judge.answers.converse import answer_of, converse_request
from nova_judge.aws.calls import failures_in_our_words
from nova_judge.recipe.recipe import Generation

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


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
