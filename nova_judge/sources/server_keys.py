"""Keys of model servers for commands on this machine: from variables named after the secrets."""

import re
from collections.abc import Mapping

from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import AskedModel


def keys_of(models: Mapping[str, AskedModel], environment: Mapping[str, str]) -> dict[str, str]:
    """The keys of models, given by their places in the recipe, by the names of their secrets.

    Raises RecipeError for one whose variable is not set.
    """
    keys: dict[str, str] = {}
    for where, model in models.items():
        if model.secret is None:
            continue
        variable = variable_of(model.secret)
        if not environment.get(variable):
            raise RecipeError(
                f"{where}.secret is {model.secret}: set {variable} to the server's key; on this "
                "machine no secrets of an account are read"
            )
        keys[model.secret] = environment[variable]
    return keys


def variable_of(secret: str) -> str:
    """The variable that holds a secret's text on this machine: `openai` is OPENAI_API_KEY."""
    return f"{re.sub('[^A-Za-z0-9]', '_', secret).upper()}_API_KEY"
