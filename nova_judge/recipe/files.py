"""Recipes by path or by the name they ship under."""

from pathlib import Path

from nova_judge.errors import RecipeError
from nova_judge.folders import RECIPES
from nova_judge.recipe.recipe import Recipe, load_recipe
from nova_judge.recipe.shape import did_you_mean


def recipe_names() -> tuple[str, ...]:
    """The recipes that ship with the project, sorted."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def packaged_recipe(name: str) -> str:
    """The text of `recipes/<name>.yaml`; raises RecipeError with the names there are."""
    names = recipe_names()
    if name not in names:
        hint = did_you_mean(name, names)
        raise RecipeError(f"recipe {name!r} does not exist; there are {', '.join(names)}{hint}")
    return (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")


def read_recipe(reference: str) -> Recipe:
    """A recipe by the path of its YAML file, else by the name that it ships under."""
    path = Path(reference)
    if path.suffix not in {".yaml", ".yml"}:
        return load_recipe(packaged_recipe(reference), file=f"recipes/{reference}.yaml")
    try:
        return load_recipe(path.read_text(encoding="utf-8"), file=reference)
    except FileNotFoundError:
        names = ", ".join(recipe_names())
        raise RecipeError(f"{reference}: no such file; recipes that ship: {names}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{reference}: not readable: {error}") from None
