"""One call to an OpenAI-compatible server (Ollama, vLLM, llama.cpp, …), with retries."""

import functools
from typing import Any, NamedTuple

import msgspec
import orjson
import urllib3
from urllib3.util import Retry, Timeout

from nova_judge.errors import LocalModeError
from nova_judge_local.settings import ChatServer

MAX_CONNECTIONS = 64
_RETRY = Retry(
    total=5,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("POST",),
    raise_on_status=False,
)
_TIMEOUT = Timeout(connect=10, read=600)


class Completion(NamedTuple):
    """What the model wrote, and the tokens that the server counted."""

    text: str
    finish_reason: str
    input_tokens: int
    output_tokens: int


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


def parse_chat_server(spec: str, api_key: str | None = None) -> ChatServer:
    """`URL` or `URL#MODEL` as one record; the URL must be http or https."""
    url, _, model = spec.partition("#")
    if not url.startswith(("http://", "https://")):
        raise LocalModeError(
            f"{spec!r} is not the address of a server: write openai:http://localhost:11434/v1#MODEL"
        )
    return ChatServer(url=url.rstrip("/"), model=model or None, api_key=api_key)


def complete(
    server: ChatServer, model: str, messages: list[dict[str, Any]], settings: dict[str, Any]
) -> Completion:
    """Ask the server; `settings` are OpenAI's (max_tokens, temperature, stop, …).

    Raises `LocalModeError` when the server cannot be reached or does not answer in OpenAI's form.
    """
    headers = {"content-type": "application/json"}
    if server.api_key:
        headers["authorization"] = f"Bearer {server.api_key}"
    body = {"model": server.model or model, "messages": messages, **settings}
    try:
        answer = _pool().request(
            "POST", f"{server.url}/chat/completions", body=orjson.dumps(body), headers=headers
        )
    except urllib3.exceptions.HTTPError as error:
        raise LocalModeError(
            f"{server.url} cannot be reached: {error}. Is the server up?"
        ) from error
    if answer.status != 200:
        said = answer.data[:300].decode("utf-8", "replace")
        raise LocalModeError(f"{server.url} answered {answer.status}: {said}")
    return _read(server, answer.data)


def _read(server: ChatServer, data: bytes) -> Completion:
    try:
        answer = msgspec.json.decode(data, type=_Answer)
        choice = answer.choices[0]
    except (msgspec.DecodeError, IndexError) as error:
        raise LocalModeError(f"{server.url} did not answer in OpenAI's form: {error}") from error
    usage = answer.usage or _Usage()
    return Completion(
        choice.message.content or "",
        choice.finish_reason or "stop",
        usage.prompt_tokens,
        usage.completion_tokens,
    )


@functools.cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        maxsize=MAX_CONNECTIONS, block=True, retries=_RETRY, timeout=_TIMEOUT
    )
