"""Models that a recipe asks: their endpoints of the run, and what is to be known of them."""

from collections.abc import Collection, Iterable, Iterator

from nova_judge.answers.answers import model_name
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.own_endpoint import may_move

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


def asked_warnings(recipe: Recipe, asked: Collection[str]) -> Iterator[str]:
    """Sentences on the candidates that are `asked`, and on the judges.

    Two that are one model, asked in one way, are a sound test of the judge, so that they are said
    and never refused.
    """
    for base, other in recipe.compared:
        if base in asked and other in asked and _asked(recipe, base) == _asked(recipe, other):
            yield (
                f"{base} and {other} are the same model, asked in the same way: comparing them "
                "tests the judge, which should find no difference, and says nothing about models"
            )
    moving = filter(may_move, asked_models(recipe, asked).values())
    for name in dict.fromkeys(f"{model.model} at {model.revision}" for model in moving):
        yield (
            f"{name}: a branch or tag of the Hub may move, and answers that are kept from before "
            "would be those of other weights. Write the commit as `revision`, 40 hexadecimal digits"
        )


def _asked(recipe: Recipe, candidate: str) -> tuple[object, ...]:
    """All that the candidate's answers depend on: equal ones would share their kept answers."""
    spec = recipe.candidate(candidate)
    weights = source_of(spec).kept_as(spec)
    return model_name(weights, recipe.generation_for(candidate)), spec.turns, spec.examples
