"""How the lines of a file become rows: who answers, under which names, and what is an answer."""

from typing import Literal, NamedTuple

from nova_judge.recipe.column_map import ColumnMap
from nova_judge.recipe.recipe import Recipe

FIELDS = (
    *("prompt", "response_A", "response_B", "reference", "id", "category", "label"),
    *("system", "context", "cluster"),
)
"""Of a row that is compared, or whose answers are scored."""

OWN_FIELDS = ("query", "response", "system", "metadata", "images", "id", "category")
"""Of a row of own data."""


class AnswerSources(NamedTuple):
    """Where each candidate's answers come from: the `file` itself, or they are `generated`."""

    A: Literal["file", "generated"]
    B: Literal["file", "generated"]


FROM_FILE = AnswerSources("file", "file")
GENERATED = AnswerSources("generated", "generated")


class Reading(NamedTuple):
    """Where the fields stand; `failures`: whether the texts of failed generations are no answers.

    See `failed_answers`.
    """

    columns: ColumnMap = ColumnMap()
    failures: bool = True


AS_NAMED = Reading()


def reading_of(recipe: Recipe | None) -> Reading:
    """How a recipe has its file read."""
    return AS_NAMED if recipe is None else Reading(recipe.map, recipe.failure_texts == "failed")
