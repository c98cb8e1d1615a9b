"""Request and reply of one model server's kind: OpenAI chat, or plain text that is continued.

Which of them an endpoint of the account takes, its container tells.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

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

Form: TypeAlias = Literal["chat", "text"]
"""OpenAI's `messages`, to which the server applies the chat template, or plain `inputs`."""

_CHAT: Final = ("vllm", "huggingface-vllm", "djl-inference", "nova-inference-repo")
_TGI: Final = "huggingface-pytorch-tgi-inference"
_TGI_VERSION = re.compile(r"tgi(\d+)\.(\d+)")
_TGI_CHAT: Final = (3, 3)
"""From this version on TGI takes `messages` beside `inputs`."""


class EndpointFacts(NamedTuple):
    """An endpoint as SageMaker describes it.

    `version` changes whenever another model may answer: the configuration's name and the time of
    the last change. `components`: the inference components that a variant without a model hosts,
    each with its image where that was asked for. `captures`: the owner keeps requests and answers.
    """

    status: str
    images: tuple[str, ...] = ()
    version: str = ""
    reason: str = ""
    instances: int | None = None
    asynchronous: bool = False
    captures: bool = False
    components: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes

    def form(self, component: str | None) -> Form | None:
        """The form that the endpoint, or one of its components, is asked in; None if unknown."""
        image = self.components.get(component or "")
        return form_of_images((image,) if image else self.images)


def form_of_images(images: tuple[str, ...]) -> Form | None:
    """The form that a serving container takes, by its image; None for one that is not known.

    AWS's containers: https://github.com/aws/deep-learning-containers,
    https://github.com/deepjavalibrary/djl-serving.
    """
    forms = {_form_of_image(image) for image in images}
    return forms.pop() if len(forms) == 1 else None


def _form_of_image(image: str) -> Form | None:
    repository = re.split(r"[:@]", image.rpartition("/")[2])[0]
    if repository in _CHAT:
        return "chat"
    version = _TGI_VERSION.search(image)
    if repository == _TGI and version is not None:
        return "chat" if (int(version[1]), int(version[2])) >= _TGI_CHAT else "text"
    return None


Reply = TypeVar("Reply")
ModelServer: TypeAlias = Literal["vllm", "tgi"]


RequestBody: TypeAlias = dict[str, Any]
"""The JSON body of one request; what it lacks is the server's own."""


def renamed(request: RequestBody) -> RequestBody:
    """The chat for a model that takes `max_completion_tokens` only, and not `max_tokens`."""
    others = {name: value for name, value in request.items() if name != "max_tokens"}
    return others | {"max_completion_tokens": request["max_tokens"]}


def _stated(**settings: object) -> RequestBody:
    return {name: value for name, value in settings.items() if value is not None}


class RequestForm(Protocol):
    """Request and response format of one kind of model server."""

    def request(self, prompt: str) -> RequestBody:
        """The JSON body of one request."""

    def answer(self, body: bytes) -> Answer:
        """The answer in a reply; raises msgspec.MsgspecError where there is none."""


class ChatForm:
    """OpenAI chat, as vLLM speaks it: the server applies the model's own chat template.

    Without a `model` the server's only one is asked; Nova's container takes no such field.
    """

    def __init__(self, model: str | None, settings: Generation) -> None:
        self._system = settings.system
        self._without_messages = _stated(
            model=model,
            messages=[],
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            stop=list(settings.stop) or None,
            seed=settings.seed,
            response_format=None if settings.json_schema is None else _json(settings.json_schema),
        )

    def request(self, prompt: str) -> RequestBody:
        """The JSON body of one request."""
        said: list[tuple[str, str]] = [*messages_in(prompt)]
        if system := system_of(prompt, self._system):
            said.insert(0, ("system", system))
        messages = [{"role": role, "content": text} for role, text in said]
        return self._without_messages | {"messages": messages}

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
        self._parameters = _stated(
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

    def request(self, prompt: str) -> RequestBody:
        """The JSON body of one request."""
        system = system_of(prompt, self._system)
        inputs = f"{system}\n\n{prompt}" if system else str(prompt)
        return {"inputs": inputs, "parameters": self._parameters}

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
