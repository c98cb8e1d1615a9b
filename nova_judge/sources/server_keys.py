"""Keys of model servers for commands on this machine: from variables named after the secrets.

A key goes to one host, as a deployed stage's does, so that no recipe has it sent elsewhere: to the
host of `NAME_BASE_URL`, for OpenAI's own key to OpenAI's, to a server on this machine, or to a
server whose address the user typed.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.openai_server import is_on_this_machine, server_model

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
