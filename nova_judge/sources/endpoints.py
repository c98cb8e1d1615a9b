"""Endpoints that a run brings up for its candidates."""

from collections.abc import Iterable

from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known import source_of


def endpoint_instances(recipe: Recipe, sides: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The endpoints of those candidates, each with the instance types to try in this order.

    None of them is there where only the account can tell which fit.
    """
    named: dict[str, tuple[str, ...]] = {}
    offered: dict[str, tuple[str, ...]] = {}
    for side in sides:
        spec = recipe.candidate(side)
        hosting = source_of(spec).hosting(spec)
        if hosting is not None:
            named[hosting.endpoint] = named.get(hosting.endpoint, ()) + spec.instance_types
            offered[hosting.endpoint] = hosting.instance_types
    return {model: tuple(dict.fromkeys(types)) or offered[model] for model, types in named.items()}


def serving_images(recipe: Recipe, sides: Iterable[str]) -> tuple[str, ...]:
    """The images that those endpoints run, by their names in `images.json`.

    Nova's image, and those that packages bring, are not among them.
    """
    specs = (recipe.candidate(side) for side in sides)
    hostings = (source_of(spec).hosting(spec) for spec in specs)
    return tuple(sorted({each.image for each in hostings if each and each.image}))
