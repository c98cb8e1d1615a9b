"""What is to be known of the models of a run that may be asked all the same."""

from collections.abc import Collection, Iterator

from nova_judge.answers.answers import model_name
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.recipe_endpoints import asked_models
from nova_judge.sources.weights import may_move


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
