"""A model behind a SageMaker endpoint, asked in the form that its server speaks."""

import json
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

import boto3
import msgspec

from nova_judge.answers.answers import Answer, system_of
from nova_judge.answers.retries import (
    CUT_BEFORE_TEXT,
    CUT_SHORT,
    EMPTY,
    CallFailed,
    CallFailure,
    Outlook,
    withheld,
)
from nova_judge.aws.calls import config, failures_in_our_words
from nova_judge.recipe.recipe import Generation
from nova_judge.text import storable

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

MOST_REQUEST_BYTES = 6_291_456
"""Bytes of one InvokeEndpoint request
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)."""

Reply = TypeVar("Reply")
Serving: TypeAlias = Literal["vllm", "tgi"]
TOO_LONG = CallFailure("prompt too long", Outlook.REFUSED, f"over {MOST_REQUEST_BYTES:,} bytes")


class RequestForm(Protocol):
    """Request and response format of one kind of model server."""

    def request(self, prompt: str) -> dict[str, Any]:
        """The JSON body of one request."""
        ...

    def answer(self, body: bytes) -> Answer:
        """The answer in a reply; raises msgspec.MsgspecError where there is none."""
        ...


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _ChatReply(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage = msgspec.field(default_factory=_Usage)


class ChatForm:
    """OpenAI chat, as vLLM speaks it: the server applies the model's own chat template."""

    def __init__(self, model: str, settings: Generation) -> None:
        self._model = model
        self._system = settings.system
        self._parameters = _set(
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            stop=list(settings.stop) or None,
            seed=settings.seed,
        )

    def request(self, prompt: str) -> dict[str, Any]:
        """The JSON body of one request."""
        messages = [{"role": "user", "content": str(prompt)}]
        if system := system_of(prompt, self._system):
            messages.insert(0, {"role": "system", "content": system})
        return {"model": self._model, "messages": messages, **self._parameters}

    def answer(self, body: bytes) -> Answer:
        """The first choice of a reply."""
        reply = _decode(body, _ChatReply)
        choice = reply.choices[0]
        return Answer(
            text=choice.message.content or "",
            input_tokens=reply.usage.prompt_tokens,
            output_tokens=reply.usage.completion_tokens,
            finish_reason=choice.finish_reason,
        )


class _Details(msgspec.Struct):
    finish_reason: str | None = None
    generated_tokens: int | None = None


class _Generated(msgspec.Struct):
    generated_text: str
    details: _Details = msgspec.field(default_factory=_Details)


class PlainForm:
    """TGI's `inputs`, which are fed to the model as they are, *without* its chat template.

    For base models. An instruct model asked this way answers worse than it can: serve it with vLLM.
    """

    def __init__(self, settings: Generation) -> None:
        self._system = settings.system
        self._parameters = _set(
            max_new_tokens=settings.max_tokens,
            # TGI refuses a temperature of 0: greedy decoding has a switch of its own.
            temperature=settings.temperature or None,
            do_sample=None if settings.temperature is None else settings.temperature > 0,
            # TGI takes a top_p strictly between 0 and 1; 1 means the same as none.
            top_p=settings.top_p if settings.top_p != 1 else None,
            stop=list(settings.stop) or None,
            seed=settings.seed,
            details=True,
            return_full_text=False,
        )

    def request(self, prompt: str) -> dict[str, Any]:
        """The JSON body of one request."""
        system = system_of(prompt, self._system)
        inputs = f"{system}\n\n{prompt}" if system else str(prompt)
        return {"inputs": inputs, "parameters": self._parameters}

    def answer(self, body: bytes) -> Answer:
        """The generated text of a reply."""
        (reply,) = _decode(body, tuple[_Generated])
        return Answer(
            text=reply.generated_text,
            output_tokens=reply.details.generated_tokens,
            finish_reason=reply.details.finish_reason,
        )


def form_of(serving: Serving, model: str, settings: Generation) -> RequestForm:
    """The form that a serving container speaks."""
    return ChatForm(model, settings) if serving == "vllm" else PlainForm(settings)


class EndpointPort:
    """`answers.Port` for one endpoint."""

    def __init__(self, client: "SageMakerRuntimeClient", endpoint: str, form: RequestForm) -> None:
        self._client = client
        self._endpoint = endpoint
        self._form = form

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        body = msgspec.json.encode(self._form.request(prompt))
        if len(body) > MOST_REQUEST_BYTES:
            raise CallFailed(TOO_LONG)
        with failures_in_our_words():
            response = self._client.invoke_endpoint(
                EndpointName=self._endpoint, ContentType="application/json", Body=body
            )
            reply = response["Body"].read()
        return self._read(reply)

    def _read(self, reply: bytes) -> Answer:
        try:
            answer = self._form.answer(reply)
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


def runtime_client(threads: int, call_timeout_s: float) -> "SageMakerRuntimeClient":
    """A client for `threads` threads, without retries of its own."""
    return boto3.client("sagemaker-runtime", config=config(threads, call_timeout_s))


def _decode(body: bytes, kind: type[Reply]) -> Reply:
    """JSON as `kind`; an answer that was cut inside a character may end in half of its escape."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = storable(json.dumps(json.loads(body), ensure_ascii=False))
        return msgspec.json.decode(whole, type=kind)


def _set(**parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    return {name: value for name, value in parameters.items() if value is not None}
