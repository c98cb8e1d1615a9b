"""Facts of a server that speaks OpenAI's API: whether it can be reached, and its models."""

from http import HTTPStatus
from typing import NamedTuple

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.util import Timeout

from nova_judge.check import NotRead

_READ_S = 10.0
_PATIENCE = Timeout(connect=5.0, read=_READ_S)
_MOST_BYTES = 4 * 1024**2
_LATEST = ":latest"
"""Ollama lists the tag that a name without one means."""
_SHOWN = 200


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
