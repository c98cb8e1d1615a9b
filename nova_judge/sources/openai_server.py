"""`{openai: URL#MODEL}`: any server that speaks OpenAI's chat completions."""

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from nova_judge.answers.answers import Port
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm
from nova_judge.sources.source import NamedModel, Payment, Ways

_CALLED = "/chat/completions"
EXAMPLE = "https://api.example.com/v1#MODEL"
CURES = {
    "401": "Does OPENAI_API_KEY hold a key for this server?",
    "403": "Does OPENAI_API_KEY hold a key for this server and model?",
    "404": "Does the address end in /v1, and is that the model's name on the server?",
    "405": "Does the address end in /v1?",
}
"""Advice where a server refuses what a command on this machine asks, by the HTTP status."""


class ServerModel(NamedTuple):
    """The address of an API, up to `/v1`, and the name that the server has for the model."""

    url: str
    model: str


def server_model(spec: str) -> ServerModel:
    """`URL#MODEL` in its two parts; the model may be empty."""
    url, _, model = spec.partition("#")
    return ServerModel(url.rstrip("/"), model)


def is_on_this_machine(url: str) -> bool:
    """True where nothing that is sent leaves the machine."""
    host = _parts(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    """The parts of an address; none of one that is not an address, such as `http://[`."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


class OpenAIServer(NamedModel):
    """A server by its address and the name of its model."""

    on_aws: bool = False
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        url, name = server_model(model.model)
        parts = _parts(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not name:
            yield (
                f"{where}.openai: found {model.model!r}; the address of a server's API and the "
                f"name of its model are expected, such as {EXAMPLE}"
            )
        elif parts.username or parts.password or "?" in url:
            yield (
                f"{where}.openai: the address holds credentials or a query, which recipes and "
                "reports would show: write the address alone, and name the key's secret in `secret`"
            )
        elif url.endswith(_CALLED):
            yield (
                f"{where}.openai: the address goes on with {_CALLED} by itself: write "
                f"{url.removesuffix(_CALLED)}#{name}"
            )
        elif model.secret is not None and parts.scheme == "http" and not is_on_this_machine(url):
            yield f"{where}.openai: a key is sent over https alone: write https://"

    def kept_as(self, model: AskedModel) -> str:
        url, name = server_model(model.model)
        return f"{name} at {url}"

    def title(self, model: AskedModel) -> str:
        return server_model(model.model).model

    def payment(self, model: AskedModel) -> Payment:
        url, _ = server_model(model.model)
        return "others" if model.price is None and is_on_this_machine(url) else "tokens"

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        url, name = server_model(model.model)
        return ways.server(url, ChatForm(name, how), how, model.secret)
