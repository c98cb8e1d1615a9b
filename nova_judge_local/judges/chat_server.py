"""Calls to an OpenAI-compatible server (Ollama, vLLM, llama.cpp, …), with retries, and whether it
can answer before a run.
"""

import functools
from typing import Any

import orjson
import urllib3
from urllib3.util import Retry, Timeout

from nova_judge.answers.retries import DETAIL_CHARACTERS
from nova_judge.check import NotRead
from nova_judge.errors import LocalModeError
from nova_judge.preflight.endpoint_check import server_check
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.completions import Completion, NotACompletionError, read_completion
from nova_judge.sources.http_calls import CONNECT_TIMEOUT_S, headers_with, server_facts
from nova_judge.sources.known_sources import asked_models
from nova_judge.sources.openai_server import CURES, server_model
from nova_judge_local.emulator_settings import ChatServer, EmulatorSettings

MAX_CONNECTIONS = 64


class _ServerRetry(Retry):
    """Retries that are few only where a request took too long, and is still at work there."""

    def _is_read_error(self, err: Exception) -> bool:
        return isinstance(err, urllib3.exceptions.ReadTimeoutError)


_RETRY = _ServerRetry(
    total=5,
    connect=3,  # some four seconds, in which a server may start again
    read=1,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("POST",),
    raise_on_status=False,
)
_QUICK_SECONDS = 2.0
_RENAMED = ("max_tokens", "max_completion_tokens")


def parse_chat_server(spec: str, api_key: str | None = None) -> ChatServer:
    """`URL` or `URL#MODEL` as one record; the URL must be http or https."""
    url, model = server_model(spec)
    if not url.startswith(("http://", "https://")):
        raise LocalModeError(
            f"{spec!r} is not the address of a server: write openai:http://localhost:11434/v1#MODEL"
        )
    return ChatServer(url=url, model=model or None, api_key=api_key)


def complete(
    server: ChatServer, model: str, messages: list[dict[str, Any]], settings: dict[str, Any]
) -> Completion:
    """Ask the server; `settings` are OpenAI's (max_tokens, temperature, stop, …).

    A model that takes `max_completion_tokens` only, or no temperature, is asked again as it wants.
    Raises `LocalModeError`, with what may help, when the server cannot be reached or does not
    answer in OpenAI's form.
    """
    body = {"model": server.model or model, "messages": messages, **settings}
    answer = _posted(server, body, _RETRY, server.timeout_s)
    if answer.status == 400 and (other := _as_wanted(body, answer.data)) is not None:
        answer = _posted(server, other, _RETRY, server.timeout_s)
    return _read(server, answer)


def check_server(server: ChatServer, model: str, *, refusals_pass: bool = False) -> str | None:
    """Ask for one word, at most 2 s; raises LocalModeError with what is wrong and how to mend it.

    A server that is only slow, or busy, passes with a word about it, else None is returned.
    `refusals_pass`: a 400 is left to the run, which counts it and quotes it in its report.
    """
    body = {
        "model": server.model or model,
        "messages": [{"role": "user", "content": "Say yes."}],
        "max_tokens": 16,
    }
    no_retries = Retry(total=0, raise_on_status=False)
    try:
        answer = _posted(server, body, no_retries, _QUICK_SECONDS)
    except _SlowServerError:
        return (
            f"{server.url} has not said one word within {_QUICK_SECONDS:g} s: it may be loading the"
            " model, or it does not speak HTTP as the address says. Going on."
        )
    if answer.status == 429 or answer.status >= 500:
        return f"{server.url} answered {answer.status}: it is asked again later. Going on."
    if answer.status == 404:
        raise LocalModeError(_unknown(server, model, answer))
    if answer.status != 400 or not (refusals_pass or _as_wanted(body, answer.data) is not None):
        _read(server, answer)
    return None


def _unknown(server: ChatServer, model: str, answer: urllib3.BaseHTTPResponse) -> str:
    """The words for an address or a model that the server does not know, with what it has."""
    body = answer.data[:DETAIL_CHARACTERS].decode("utf-8", "replace")
    facts = server_facts(server.url, model, server.api_key)
    if isinstance(facts, NotRead) or not facts.models:
        return f"{server.url} answered 404: {body} {CURES['404']}"
    check = server_check(server.url, model, facts)
    return f"{server.url} answered 404: {check.finding}"


class RefusedByServerError(LocalModeError):
    """The server answered with an HTTP status other than 200."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServerGoneError(LocalModeError):
    """Nobody takes connections at the server's address, for all the tries."""


class _SlowServerError(LocalModeError):
    """The server took the request and has not answered in time."""


def _as_wanted(body: dict[str, Any], refusal: bytes) -> dict[str, Any] | None:
    """The request without what the model does not take; None where it objects to something else."""
    old, new = _RENAMED
    if old in body and new.encode() in refusal:
        return {(new if key == old else key): value for key, value in body.items()}
    if "temperature" in body and b"temperature" in refusal:
        return {key: value for key, value in body.items() if key != "temperature"}
    return None


def _posted(
    server: ChatServer, body: dict[str, Any], retries: Retry, seconds: float
) -> urllib3.BaseHTTPResponse:
    try:
        return _pool().request(
            "POST",
            f"{server.url}/chat/completions",
            body=orjson.dumps(body),
            headers=headers_with(server.api_key),
            retries=retries,
            timeout=Timeout(connect=min(CONNECT_TIMEOUT_S, seconds), read=seconds),
        )
    except urllib3.exceptions.HTTPError as error:
        cause = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
        if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
            raise _SlowServerError(
                f"{server.url} did not answer within {seconds:g} s: give it longer with --timeout,"
                " or ask it less at once with --concurrency."
            ) from error
        raise ServerGoneError(
            f"{server.url} cannot be reached: {cause}. {_connection_cure(cause)}"
        ) from error


def _connection_cure(cause: object) -> str:
    if isinstance(cause, urllib3.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in str(cause):
            return "Does it speak http, not https?"
        return "Name the certificate that it is signed with in SSL_CERT_FILE."
    return "Is the server up, and is that its address? Start it, or name another."


def _read(server: ChatServer, answer: urllib3.BaseHTTPResponse) -> Completion:
    body = answer.data[:DETAIL_CHARACTERS].decode("utf-8", "replace")
    if answer.status != 200:
        cure = CURES.get(str(answer.status), "The server's own log says why.")
        raise RefusedByServerError(
            f"{server.url} answered {answer.status}: {body} {cure}".rstrip(), answer.status
        )
    try:
        return read_completion(answer.data)
    except NotACompletionError as error:
        cure = " Does the address end in /v1?" if body.lstrip().startswith("<") else ""
        raise LocalModeError(
            f"{server.url} did not answer in OpenAI's form: {error}. It said: {body}{cure}"
        ) from error


@functools.cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=MAX_CONNECTIONS, block=True)


def check_servers(settings: EmulatorSettings, recipe: Recipe) -> list[str]:
    """One request to each server that is named, before anything else starts; words of slow ones."""
    notes: list[str | None] = []
    for where, asked in asked_models(recipe).items():
        if asked.openai is not None:
            url, model = server_model(asked.openai)
            key = settings.model_keys.get(asked.secret or "")
            server = ChatServer(url=url, model=model, api_key=key)
            is_judge = where.startswith("judge")
            notes.append(check_server(server, model, refusals_pass=not is_judge))
    candidates = settings.chat_server
    if candidates is not None and candidates.model is not None:
        notes.append(check_server(candidates, candidates.model, refusals_pass=True))
    kind, _, rest = settings.judge.partition(":")
    if kind == "openai":
        judge = parse_chat_server(rest, settings.judge_environment.get("OPENAI_API_KEY"))
        if judge.model is not None:
            notes.append(check_server(judge, judge.model))
    return [note for note in notes if note]
