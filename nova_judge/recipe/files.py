"""Recipes by the name they ship under."""

from collections.abc import Callable
from typing import Final, TypeAlias

from nova_judge.errors import RecipeError
from nova_judge.folders import RECIPES
from nova_judge.recipe.shape import did_you_mean

__all__ = ["packaged_recipe", "recipe_names"]

Beside: TypeAlias = Callable[[str], bytes]
"""Reads a file that lies beside a recipe, by its name; raises OSError where there is none."""
MOST_BESIDE: Final = 1 << 20
"""Bytes that are read of it: more than any of those files may have."""


def recipe_names() -> tuple[str, ...]:
    """The recipes that ship with the project, sorted.

    >>> "pairwise" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def packaged_recipe(name: str) -> str:
    """The text of `recipes/<name>.yaml`; raises RecipeError with the names there are.

    >>> "kind: llm_judge" in packaged_recipe("pairwise")
    True
    """
    names = recipe_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise RecipeError(f"recipe {name!r} does not exist; there are {', '.join(names)}{hint}")
    return (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
