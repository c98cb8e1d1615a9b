"""A Bedrock model, asked through Converse: one body for every model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nova_judge.answers.answers import Answer, Prompt
from nova_judge.answers.retries import (
    CUT_BEFORE_TEXT,
    EMPTY,
    CallFailed,
    CallFailure,
    Outlook,
    withheld,
)
from nova_judge.aws.calls import failures_in_our_words
from nova_judge.errors import RecipeError
from nova_judge.recipe.claude import sampling_problem
from nova_judge.recipe.recipe import Generation
from nova_judge.text import storable

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


def converse_request(model: str, settings: Generation) -> dict[str, Any]:
    """The request of every call but for its message.

    Raises RecipeError for settings that the model would refuse in every call. Converse knows no
    seed: there it is only a part of the answers' name.
    """
    if problem := sampling_problem(model, settings.temperature, settings.top_p):
        raise RecipeError(f"generation: {problem}")
    inference: dict[str, Any] = {"maxTokens": settings.max_tokens}
    if settings.temperature is not None:
        inference["temperature"] = settings.temperature
    if settings.top_p is not None:
        inference["topP"] = settings.top_p
    if settings.stop:
        inference["stopSequences"] = list(settings.stop)
    request: dict[str, Any] = {"inferenceConfig": inference}
    if settings.system:
        request["system"] = [{"text": settings.system}]
    return request


def asked(request: dict[str, Any], prompt: str) -> dict[str, Any]:
    """The request with a prompt's message, and with its own instruction where it has one."""
    own = {"system": [{"text": prompt.system}]} if isinstance(prompt, Prompt) else {}
    return {"messages": user_message(prompt), **request, **own}


def user_message(prompt: str) -> list[dict[str, Any]]:
    """The messages of one call."""
    return [{"role": "user", "content": [{"text": str(prompt)}]}]


class _Block(msgspec.Struct):
    text: str | None = None


class _Message(msgspec.Struct):
    content: list[_Block | None] | None = None


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Usage(msgspec.Struct):
    inputTokens: int | None = None
    outputTokens: int | None = None


class _Response(msgspec.Struct):
    """Fields read from a Converse response; batch output may hold null in every place."""

    output: _Output | None = None
    usage: _Usage | None = None
    stopReason: str | None = None


_WITHHELD = {"guardrail_intervened", "content_filtered"}
_MALFORMED = {"malformed_model_output", "malformed_tool_use"}
_LIMITS = {"max_tokens", "model_context_window_exceeded"}


def answer_of(response: Mapping[str, Any]) -> Answer:
    """The answer in a Converse response; raises `CallFailed` where it holds none, and says why."""
    try:
        read = msgspec.convert(response, _Response)
    except msgspec.ValidationError as error:
        raise CallFailed(
            CallFailure("reply in another form", Outlook.REFUSED, str(error))
        ) from error
    message = (read.output or _Output()).message or _Message()
    text = "".join(block.text or "" for block in message.content or () if block is not None)
    reason = read.stopReason
    if reason in _WITHHELD:
        raise CallFailed(withheld(reason or ""))
    if reason in _MALFORMED:
        raise CallFailed(CallFailure(f"no usable answer: {reason}", Outlook.REFUSED))
    if not text.strip():
        raise CallFailed(CUT_BEFORE_TEXT if reason in _LIMITS else EMPTY)
    usage = read.usage or _Usage()
    return Answer(
        text=storable(text),
        input_tokens=usage.inputTokens,
        output_tokens=usage.outputTokens,
        finish_reason=reason,
    )


class ConversePort:
    """`answers.Port` for one Bedrock model or inference profile."""

    def __init__(self, client: "BedrockRuntimeClient", model: str, settings: Generation) -> None:
        self._client = client
        self._model = model
        self._request = converse_request(model, settings)

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        with failures_in_our_words():
            response = self._client.converse(modelId=self._model, **asked(self._request, prompt))
        return answer_of(dict(response))
