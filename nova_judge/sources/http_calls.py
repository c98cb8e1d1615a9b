"""Calls to a server that speaks OpenAI's chat completions over HTTP, and the models that it has."""

from http import HTTPStatus
from time import monotonic
from typing import NamedTuple

import msgspec
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.util import Timeout

from nova_judge.answers.answers import Answer
from nova_judge.answers.kept_texts import KeptTexts
from nova_judge.answers.retries import (
    CONNECTION_BROKEN,
    CUT_SHORT,
    DETAIL_CHARACTERS,
    TIMED_OUT,
    UNREACHED,
    CallFailed,
    CallFailure,
    by_status,
)
from nova_judge.check import NotRead
from nova_judge.sources.request_forms import ChatForm, RequestBody, answer_in, renamed

CONNECT_TIMEOUT_S = 10.0
GONE_AFTER_S = 600.0
"""Seconds in which a server may start again: as long as a row is patient."""
_RENAMED = ("max_tokens", "max_completion_tokens")
_READ_S = 10.0
_PATIENCE = Timeout(connect=5.0, read=_READ_S)
_MOST_BYTES = 4 * 1024**2
_LATEST = ":latest"
"""Ollama lists the tag that a name without one means."""
_SHOWN = 200


class ServerPort:
    """`answers.Port` for one model of a server; `url` goes up to `/v1`.

    A model that takes `max_completion_tokens` only is asked so from its first refusal on. `kept`
    holds answers by the whole request. A server that takes no connections for `gone_after_s` is
    gone.
    """

    def __init__(
        self,
        url: str,
        form: ChatForm,
        key: str | None,
        *,
        threads: int,
        timeout_s: float,
        kept: KeptTexts | None = None,
        gone_after_s: float = GONE_AFTER_S,
    ) -> None:
        self._url = f"{url}/chat/completions"
        self._form = form
        self._headers = headers_with(key)
        self._timeout = Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s)
        self._pool = urllib3.PoolManager(maxsize=threads, block=True)
        self._renames = False
        self._kept = kept
        self._gone_after_s = gone_after_s
        self._unreached: float | None = None  # since when, on time.monotonic's clock

    def ask(self, prompt: str) -> Answer:
        """One answer; raises `CallFailed`."""
        request = self._form.request(prompt)
        if self._kept is None:
            return self._asked(request)
        content = f"{self._url}\n{msgspec.json.encode(request, order='sorted').decode()}"
        if (text := self._kept.find(content)) is not None:
            return msgspec.json.decode(text, type=Answer)
        answer = self._asked(request)
        self._kept.keep(content, msgspec.json.encode(answer).decode())
        return answer

    def _asked(self, request: RequestBody) -> Answer:
        renames = self._renames  # by now perhaps another thread's finding
        reply = self._posted(renamed(request) if renames else request)
        old, new = (name.encode() for name in _RENAMED)
        refused = reply.status == HTTPStatus.BAD_REQUEST and not renames
        if refused and old in reply.data and new in reply.data:
            reply = self._posted(renamed(request))
            self._renames = reply.status != HTTPStatus.BAD_REQUEST
        if reply.status != HTTPStatus.OK:
            detail = reply.data[:DETAIL_CHARACTERS].decode("utf-8", "replace")
            raise CallFailed(by_status(reply.status, detail=detail))
        return answer_in(reply.data, self._form)

    def _posted(self, request: RequestBody) -> urllib3.BaseHTTPResponse:
        try:
            reply = self._pool.request(
                "POST",
                self._url,
                body=msgspec.json.encode(request),
                headers=self._headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
            )
        except HTTPError as error:
            cause = (error.reason if isinstance(error, MaxRetryError) else None) or error
            if isinstance(cause, NewConnectionError):
                raise CallFailed(self._not_reached(cause)) from error
            raise CallFailed(_failure(cause)) from error
        self._unreached = None
        return reply

    def _not_reached(self, error: NewConnectionError) -> CallFailure:
        now = monotonic()
        since = self._unreached = self._unreached or now
        kind = UNREACHED if now - since >= self._gone_after_s else CONNECTION_BROKEN
        return kind._replace(detail=str(error)[:DETAIL_CHARACTERS])


def headers_with(key: str | None) -> dict[str, str]:
    """The headers of a call, with a server's key where it has one."""
    headers = {"content-type": "application/json"}
    return headers | {"authorization": f"Bearer {key}"} if key else headers


def _failure(cause: Exception) -> CallFailure:
    if isinstance(cause, ReadTimeoutError | ConnectTimeoutError):
        return TIMED_OUT
    if isinstance(cause, IncompleteRead) or "IncompleteRead" in str(cause):
        return CUT_SHORT
    return CONNECTION_BROKEN._replace(detail=str(cause)[:DETAIL_CHARACTERS])


class ServerFacts(NamedTuple):
    """A server as it answers now; `trouble` says why nobody can be asked there.

    `models`: the names that it lists, the one asked for among them where it is `listed`. `takes`:
    it answers one that it does not list.
    """

    models: tuple[str, ...] = ()
    listed: bool = False
    takes: bool = False
    trouble: str | None = None


class _Model(msgspec.Struct):
    id: str
    aliases: list[str] = []


class _Models(msgspec.Struct):
    data: list[_Model]


def server_facts(url: str, model: str, key: str | None) -> ServerFacts | NotRead:
    """Ask the server at `url` (up to `/v1`) for its models.

    A name that is not listed may be answered all the same: one word is asked for.
    """
    headers = {"authorization": f"Bearer {key}"} if key else {}
    pool = urllib3.PoolManager(headers=headers, timeout=_PATIENCE, retries=False)
    try:
        reply = pool.request("GET", f"{url}/models", preload_content=False, redirect=False)
        content = reply.read(_MOST_BYTES)
        names = _names(content) if reply.status == HTTPStatus.OK else None
        if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            held = "refuses the key" if key else "asks for a key"
            return ServerFacts(trouble=f"it {held} ({reply.status})")
        if names is None:
            return NotRead(f"{url} does not list its models ({reply.status})")
        if model in names or f"{model}{_LATEST}" in names:
            return ServerFacts(names, listed=True)
        return ServerFacts(names, takes=_takes(pool, url, model))
    except HTTPError as error:
        cause = error.reason if isinstance(error, MaxRetryError) else error
        if isinstance(cause, ReadTimeoutError):
            return NotRead(f"{url} did not answer within {_READ_S:g} s: it may be loading")
        return ServerFacts(trouble=f"it cannot be reached: {str(cause)[:_SHOWN]}")


def _names(content: bytes) -> tuple[str, ...] | None:
    try:
        models = msgspec.json.decode(content, type=_Models).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return tuple(dict.fromkeys(name for each in models for name in (each.id, *each.aliases)))


def _takes(pool: urllib3.PoolManager, url: str, model: str) -> bool:
    question = {"role": "user", "content": "Say yes."}
    body = {"model": model, "messages": [question], "max_tokens": 1}
    reply = pool.request("POST", f"{url}/chat/completions", json=body, redirect=False)
    return reply.status == HTTPStatus.OK
