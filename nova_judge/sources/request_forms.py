"""Request and reply of one model server's kind: OpenAI chat, or plain text that is continued."""

import json
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from nova_judge.answers.answers import Answer
from nova_judge.answers.prompts import messages_in, system_of
from nova_judge.answers.retries import (
    CUT_BEFORE_TEXT,
    CUT_SHORT,
    EMPTY,
    CallFailed,
    CallFailure,
    Outlook,
    withheld,
)
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.completions import first_choice
from nova_judge.text import storable

Reply = TypeVar("Reply")
ModelServer: TypeAlias = Literal["vllm", "tgi"]


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a chat."""

    role: str
    content: str


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat completion; what is None is the server's own. Models take one of two names for max."""

    model: str | None = None
    messages: list[ChatMessage]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = []
    seed: int | None = None
    response_format: object = None
    max_completion_tokens: int | None = None

    def renamed(self) -> "ChatRequest":
        """The same for a model that takes `max_completion_tokens` only."""
        most = self.max_tokens
        return msgspec.structs.replace(self, max_tokens=None, max_completion_tokens=most)


class PlainParameters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Parameters of text generation as TGI names them."""

    max_new_tokens: int
    temperature: float | None = None
    do_sample: bool | None = None
    top_p: float | None = None
    stop: list[str] = []
    seed: int | None = None
    details: bool
    return_full_text: bool


class PlainRequest(msgspec.Struct, frozen=True):
    """A text that the model continues."""

    inputs: str
    parameters: PlainParameters


class RequestForm(Protocol):
    """Request and response format of one kind of model server."""

    def request(self, prompt: str) -> ChatRequest | PlainRequest:
        """The JSON body of one request."""

    def answer(self, body: bytes) -> Answer:
        """The answer in a reply; raises msgspec.MsgspecError where there is none."""


class ChatForm:
    """OpenAI chat, as vLLM speaks it: the server applies the model's own chat template.

    Without a `model` the server's only one is asked; Nova's container takes no such field.
    """

    def __init__(self, model: str | None, settings: Generation) -> None:
        self._system = settings.system
        self._without_messages = ChatRequest(
            model=model,
            messages=[],
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            stop=list(settings.stop),
            seed=settings.seed,
            response_format=None if settings.json_schema is None else _json(settings.json_schema),
        )

    def request(self, prompt: str) -> ChatRequest:
        """The JSON body of one request."""
        messages = [ChatMessage(role, text) for role, text in messages_in(prompt)]
        if system := system_of(prompt, self._system):
            messages.insert(0, ChatMessage("system", system))
        return msgspec.structs.replace(self._without_messages, messages=messages)

    def answer(self, body: bytes) -> Answer:
        """The first choice of a reply."""
        done = _read(body, first_choice)
        return Answer(
            text=done.text,
            input_tokens=done.input_tokens,
            output_tokens=done.output_tokens,
            finish_reason=done.plain_reason,
        )


class _Details(msgspec.Struct):
    finish_reason: str | None = None
    generated_tokens: int | None = None


class _Generated(msgspec.Struct):
    generated_text: str
    details: _Details = msgspec.field(default_factory=_Details)


_generated = msgspec.json.Decoder(tuple[_Generated])


class PlainForm:
    """TGI's `inputs`, which are fed to the model as they are, *without* its chat template.

    For base models. An instruct model asked this way answers worse than it can: serve it with vLLM.
    """

    def __init__(self, settings: Generation) -> None:
        self._system = settings.system
        self._parameters = PlainParameters(
            max_new_tokens=settings.max_tokens,
            # TGI refuses a temperature of 0: greedy decoding has a switch of its own.
            temperature=settings.temperature or None,
            do_sample=None if settings.temperature is None else settings.temperature > 0,
            # TGI takes a top_p strictly between 0 and 1; 1 means the same as none.
            top_p=settings.top_p if settings.top_p != 1 else None,
            stop=list(settings.stop),
            seed=settings.seed,
            details=True,
            return_full_text=False,
        )

    def request(self, prompt: str) -> PlainRequest:
        """The JSON body of one request."""
        system = system_of(prompt, self._system)
        inputs = f"{system}\n\n{prompt}" if system else str(prompt)
        return PlainRequest(inputs, self._parameters)

    def answer(self, body: bytes) -> Answer:
        """The generated text of a reply."""
        (reply,) = _read(body, _generated.decode)
        return Answer(
            text=reply.generated_text,
            output_tokens=reply.details.generated_tokens,
            finish_reason=reply.details.finish_reason,
        )


def form_of(serving: ModelServer, model: str, settings: Generation) -> RequestForm:
    """The form that a serving container speaks."""
    return ChatForm(model, settings) if serving == "vllm" else PlainForm(settings)


def answer_in(reply: bytes, form: RequestForm) -> Answer:
    """The answer in a server's reply; raises `CallFailed` where it holds none, and says why."""
    try:
        answer = form.answer(reply)
    except (msgspec.ValidationError, IndexError) as error:
        unexpected = CallFailure("reply in another form", Outlook.REFUSED, str(error))
        raise CallFailed(unexpected) from error
    except ValueError as error:
        raise CallFailed(CUT_SHORT) from error
    if answer.finish_reason == "content_filter":
        raise CallFailed(withheld(answer.finish_reason))
    if not answer.text.strip():
        raise CallFailed(CUT_BEFORE_TEXT if answer.finish_reason == "length" else EMPTY)
    return answer


def _read(body: bytes, read: Callable[[bytes], Reply]) -> Reply:
    """JSON as `read` reads it; an answer cut inside a character may end in half of its escape."""
    try:
        return read(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = storable(json.dumps(json.loads(body), ensure_ascii=False))
        return read(whole.encode())


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's structured outputs, which vLLM, llama.cpp and Ollama take too."""
    named = {"name": "reply", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": named}
