"""The kinds of evaluation that there are."""

from typing import Any, Final

from nova_judge.errors import RecipeError
from nova_judge.kinds.asked_pairs import AskedPairs
from nova_judge.kinds.bedrock_scores import BedrockScores
from nova_judge.kinds.kind import Kind
from nova_judge.kinds.nova import BENCHMARK, OWN_DATA, REWARDS
from nova_judge.kinds.pairs import Pairs
from nova_judge.kinds.serverless_scores import ServerlessScores
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import not_one_of

KINDS: Final[dict[str, Kind[Any]]] = {
    "llm_judge": Pairs(),
    "rubric_llm_judge": Pairs(),
    "model_judge": AskedPairs(),
    "benchmark": BENCHMARK,
    "gen_qa": OWN_DATA,
    "rft_eval": REWARDS,
    "bedrock_judge": BedrockScores(),
    "serverless": ServerlessScores(),
}
"""By the word that stands as `kind` in a recipe."""


def judged_in_parts(recipe: Recipe) -> bool:
    """True where two candidates are compared by one judge: each judge job's rows are a part."""
    return isinstance(kind_of(recipe.kind), Pairs) and not (recipe.many or recipe.judge.panel)


def writes_rubrics(recipe: Recipe) -> bool:
    """True where the judge scores criteria in every row."""
    return recipe.kind == "rubric_llm_judge" or recipe.judge.rubric is not None


def kind_of(name: str) -> Kind[Any]:  # each with rows of its own
    """The kind of that name; raises RecipeError with those that there are."""
    if name not in KINDS:
        raise RecipeError(not_one_of("kind", name, KINDS))
    return KINDS[name]
