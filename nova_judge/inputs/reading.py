"""Rules that turn lines of a file into rows: sources of answers, names, and what is an answer."""

from typing import Literal, NamedTuple, TypeAlias

from nova_judge.recipe.column_map import ColumnMap
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import CANDIDATES

FIELDS = (
    *("prompt", "response_A", "response_B", "reference", "id", "category", "label"),
    *("system", "context", "cluster"),
)
"""Of a row that is compared, or whose answers are scored."""

OWN_FIELDS = ("query", "response", "system", "metadata", "images", "id", "category", "cluster")
"""Of a row of own data."""


AnswersFrom: TypeAlias = Literal["file", "generated", "unused"]


class AnswerSources(NamedTuple):
    """Source of each candidate's answers: the `file` itself, or they are `generated`.

    `unused`: the run judges the other candidate alone, so that this one needs no answers.
    """

    A: AnswersFrom
    B: AnswersFrom


def asked_by(recipe: Recipe, sources: AnswerSources) -> tuple[str, ...]:
    """The candidates that a run has to ask, by their names in the recipe."""
    if recipe.many:
        return recipe.names
    return tuple(c for c in CANDIDATES if getattr(sources, c) == "generated")


FROM_FILE = AnswerSources("file", "file")
GENERATED = AnswerSources("generated", "generated")


class Reading(NamedTuple):
    """Places of the fields; `failures`: texts of failed generations do not count.

    See `failed_answers`.
    """

    columns: ColumnMap = ColumnMap()
    failures: bool = True


AS_NAMED = Reading()


def reading_of(recipe: Recipe | None) -> Reading:
    """Reading that a recipe asks for."""
    return AS_NAMED if recipe is None else Reading(recipe.map, recipe.failure_texts == "failed")
