"""`{openai: URL#MODEL}`: any server that speaks OpenAI's chat completions, and its key.

Commands on this machine take keys from variables named after the secrets. A key goes to one host,
as a deployed stage's does, so that no recipe has it sent elsewhere: to the host of `NAME_BASE_URL`,
for OpenAI's own key to OpenAI's, to a server on this machine, or to a server whose address the user
typed.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from nova_judge.answers.answers import Port
from nova_judge.errors import RecipeError
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


def server_model(spec: str) -> tuple[str, str]:
    """The two parts of `URL#MODEL`: an API's address, up to `/v1`, and its name for the model.

    The name may be empty.
    """
    url, _, model = spec.partition("#")
    return url.rstrip("/"), model


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
        return server_model(model.model)[1]

    def payment(self, model: AskedModel) -> Payment:
        url, _ = server_model(model.model)
        return "others" if model.price is None and is_on_this_machine(url) else "tokens"

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        url, name = server_model(model.model)
        return ways.server(url, ChatForm(name, how), how, model.secret)


_OPENAI: Final = "openai"  # as secret, and as the key of a recipe
_KNOWN_HOSTS: Final = {"OPENAI": "api.openai.com"}


def keys_of(
    models: Mapping[str, AskedModel], environment: Mapping[str, str], typed: Collection[str] = ()
) -> dict[str, str]:
    """The keys of models, given by their places in the recipe, by the names of their secrets.

    typed: the places of models whose addresses the user typed. Raises RecipeError for a key whose
    variable is not set, and for one that would go to a host that it is not for.
    """
    keys: dict[str, str] = {}
    for where, model in models.items():
        if model.secret is None or model.openai is None:
            continue
        variable = variable_of(model.secret)
        if not environment.get(variable):
            raise RecipeError(
                f"{where}.secret is {model.secret}: set {variable} to the server's key; on this "
                "machine no secrets of an account are read"
            )
        if where not in typed:
            _require_host(where, model, environment)
        keys[model.secret] = environment[variable]
    return keys


def typed_model(spec: str, environment: Mapping[str, str]) -> dict[str, str] | None:
    """The model that `openai:URL#MODEL` or `bedrock:MODEL_ID` names, as a recipe does; else None.

    OpenAI's key goes along where it is set, and nobody reads it on its way.
    """
    kind, _, rest = spec.partition(":")
    if kind not in (_OPENAI, "bedrock") or not rest:
        return None
    url, _ = server_model(rest)
    is_safe = url.startswith("https://") or is_on_this_machine(url)
    has_key = kind == _OPENAI and is_safe and environment.get(variable_of(_OPENAI))
    return {kind: rest} | ({"secret": _OPENAI} if has_key else {})


def _require_host(where: str, model: AskedModel, environment: Mapping[str, str]) -> None:
    url, _ = server_model(model.openai or "")
    name = variable_of(model.secret or "").removesuffix("_API_KEY")
    base = environment.get(f"{name}_BASE_URL")
    own = urlsplit(base).hostname if base else _KNOWN_HOSTS.get(name)
    if urlsplit(url).hostname != own and not is_on_this_machine(url):
        raise RecipeError(
            f"{where}.openai is {url}, and nothing says that {name}_API_KEY is a key of that "
            f"server: set {name}_BASE_URL to its address if it is"
        )


def variable_of(secret: str) -> str:
    """The variable that holds a secret's text on this machine: `openai` is OPENAI_API_KEY."""
    return f"{re.sub('[^A-Za-z0-9]', '_', secret).upper()}_API_KEY"
