"""Candidates between which a run can find no difference."""

from collections.abc import Collection, Iterator

from nova_judge.answers.answers import model_name
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import source_of


def asked_alike(recipe: Recipe, asked: Collection[str]) -> Iterator[str]:
    """The pairs among those that are `asked` which are one model, asked in one way, as sentences.

    Such a run is a sound test of the judge, so it is said and never refused.
    """
    for base, other in recipe.compared:
        if base in asked and other in asked and _asked(recipe, base) == _asked(recipe, other):
            yield (
                f"{base} and {other} are the same model, asked in the same way: comparing them "
                "tests the judge, which should find no difference, and says nothing about models"
            )


def _asked(recipe: Recipe, candidate: str) -> tuple[object, ...]:
    """All that the candidate's answers depend on: equal ones would share their kept answers."""
    spec = recipe.candidate(candidate)
    weights = source_of(spec).kept_as(spec)
    return model_name(weights, recipe.generation_for(candidate)), spec.turns, spec.examples
