"""Models that a recipe asks, and the endpoints that a run brings up for them."""

from collections.abc import Iterable

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import source_of

CANDIDATE = "candidates."
"""Begins the place of a candidate in a recipe."""


def asked_models(recipe: Recipe, sides: Iterable[str] | None = None) -> dict[str, AskedModel]:
    """The candidates, those of `sides` or all, and the judges, by their places in the recipe."""
    names = recipe.names if sides is None else sides
    candidates: dict[str, AskedModel] = {f"{CANDIDATE}{c}": recipe.candidate(c) for c in names}
    return candidates | recipe.judge.asked


def endpoint_instances(models: Iterable[AskedModel]) -> dict[str, tuple[str, ...]]:
    """The endpoints of those models, each with the instance types to try in this order.

    None of them is there where only the account can tell which fit.
    """
    named: dict[str, tuple[str, ...]] = {}
    offered: dict[str, tuple[str, ...]] = {}
    for model in models:
        hosting = source_of(model).hosting(model)
        if hosting is not None:
            named[hosting.endpoint] = named.get(hosting.endpoint, ()) + model.instance_types
            offered[hosting.endpoint] = hosting.instance_types
    return {name: tuple(dict.fromkeys(types)) or offered[name] for name, types in named.items()}
