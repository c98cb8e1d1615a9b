"""Request and reply of Bedrock's Converse: one form for every model, in calls and in batches."""

import json
import re

import msgspec

from nova_judge.answers.answers import Answer
from nova_judge.answers.prompts import messages_in, system_of
from nova_judge.answers.retries import (
    CUT_BEFORE_TEXT,
    EMPTY,
    CallFailed,
    CallFailure,
    Outlook,
    withheld,
)
from nova_judge.errors import RecipeError
from nova_judge.recipe.recipe import Generation
from nova_judge.text import storable

__all__ = ["sampling_problem"]


class TextBlock(msgspec.Struct, frozen=True):
    """A block of a message, or an instruction."""

    text: str


class ConverseMessage(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: str
    content: list[TextBlock]


class Inference(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Settings of the model; what is None is the model's own."""

    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] = []


class ConverseRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One call but for the model's name; `output_config`: a form that the reply has to have."""

    messages: list[ConverseMessage]
    inference_config: Inference
    system: list[TextBlock] = []
    output_config: object = None

    def to(self, prompt: str) -> "ConverseRequest":
        """The request with a prompt's turns, and with its own instruction where it has one."""
        own = system_of(prompt, None)
        system = self.system if own is None else [TextBlock(own)]
        messages = [ConverseMessage(role, [TextBlock(text)]) for role, text in messages_in(prompt)]
        return ConverseRequest(messages, self.inference_config, system, self.output_config)


def converse_request(model: str, settings: Generation) -> ConverseRequest:
    """The request of every call but for its message.

    Raises RecipeError for settings that the model would refuse in every call. Converse knows no
    seed: there it is only a part of the answers' name.
    """
    if problem := sampling_problem(model, settings.temperature, settings.top_p):
        raise RecipeError(f"generation: {problem}")
    inference = Inference(
        settings.max_tokens, settings.temperature, settings.top_p, list(settings.stop)
    )
    system = [TextBlock(settings.system)] if settings.system else []
    return ConverseRequest([], inference, system, _output_config(settings))


def _output_config(settings: Generation) -> object:
    if settings.json_schema is None:
        return None
    schema = {"schema": json.dumps(settings.json_schema), "name": "reply"}
    return {"textFormat": {"structure": {"jsonSchema": schema}, "type": "json_schema"}}


class _Block(msgspec.Struct):
    text: str | None = None


class _Message(msgspec.Struct):
    content: list[_Block | None] | None = None


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Usage(msgspec.Struct):
    inputTokens: int | None = None
    outputTokens: int | None = None


class _Routed(msgspec.Struct):
    invokedModelId: str | None = None


class _Trace(msgspec.Struct):
    promptRouter: _Routed | None = None


class _Response(msgspec.Struct):
    """Fields read from a Converse response; batch output may hold null in every place."""

    output: _Output | None = None
    usage: _Usage | None = None
    stopReason: str | None = None
    trace: _Trace | None = None


_WITHHELD = {"guardrail_intervened", "content_filtered"}
_MALFORMED = {"malformed_model_output", "malformed_tool_use"}
_LIMITS = {"max_tokens", "model_context_window_exceeded"}


def answer_of(response: object) -> Answer:
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
    routed = (read.trace or _Trace()).promptRouter or _Routed()
    return Answer(
        text=storable(text),
        input_tokens=usage.inputTokens,
        output_tokens=usage.outputTokens,
        finish_reason=reason,
        model=routed.invokedModelId,
    )


_VERSION = re.compile(r"anthropic\.claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")
ONE_OF_TWO_SINCE = (4, 1)
NEITHER_SINCE = (4, 7)
"""Claude's versions on Bedrock that refuse temperature and top_p together, and either of them.

AWS's documentation does not say; public threads do
(https://github.com/open-webui/pipelines/pull/546,
https://github.com/aws-samples/bedrock-access-gateway/issues/191;
https://github.com/promptfoo/promptfoo/issues/10307).
"""


def sampling_problem(model: str, temperature: float | None, top_p: float | None) -> str | None:
    """The reason why Claude would refuse every call, and what to write instead; None without one.

    `model` is an id, an inference profile or an ARN of either.

    >>> sampling_problem("us.anthropic.claude-sonnet-4-6", temperature=0.0, top_p=None) is None
    True
    >>> sampling_problem("us.anthropic.claude-sonnet-4-6", temperature=0.5, top_p=0.9) is None
    False
    """
    given = [value for value in (temperature, top_p) if value is not None]
    version = _version(model)
    if given and version >= NEITHER_SINCE:
        return (
            f"{model} takes neither temperature nor top_p: write temperature: null and leave "
            "top_p out"
        )
    if len(given) == 2 and version >= ONE_OF_TWO_SINCE:
        return f"{model} takes temperature or top_p, not both: write top_p: null"
    return None


def _version(model: str) -> tuple[int, int]:
    parts = _VERSION.search(model)
    return (int(parts[1]), int(parts[2] or 0)) if parts else (0, 0)
