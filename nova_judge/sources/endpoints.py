"""Endpoints that a run brings up for its candidates."""

from collections.abc import Iterable

from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known import source_of


def endpoint_instances(recipe: Recipe, sides: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The endpoints of those candidates, each with the instance types to try in this order."""
    named: dict[str, tuple[str, ...]] = {}
    offered: dict[str, tuple[str, ...]] = {}
    for side in sides:
        spec = recipe.candidate(side)
        hosting = source_of(spec).hosting(spec)
        if hosting is not None:
            named[hosting.endpoint] = named.get(hosting.endpoint, ()) + spec.instance_types
            offered[hosting.endpoint] = hosting.instance_types
    return {model: tuple(dict.fromkeys(types)) or offered[model] for model, types in named.items()}
