"""Which runs may be compared: what must agree in `metrics.json`, what may differ in the recipe.

Candidate B may differ everywhere: it is what a comparison shows.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple


class Fact(NamedTuple):
    """A fact of a run: its name in a sentence, and its path in `metrics.json`."""

    name: str
    path: str


class Difference(NamedTuple):
    """A fact that two runs state differently; None is nothing stated."""

    name: str
    one: object
    other: object


SAME_JUDGE: Final = (
    Fact("kind", "kind"),
    Fact("judge", "judge.model"),
    Fact("stand-in for the judge", "judge.stand_in"),
    Fact("baseline A", "candidates.A.name"),
    Fact("stand-in for baseline A", "candidates.A.stand_in"),
)
"""What must agree where the rows of two runs are paired."""

SAME_FIGURES: Final = (
    Fact("confidence level", "win_rate.level"),
    Fact("interval method", "win_rate.method"),
)
"""What must agree where figures of two runs stand side by side; a failed run has none of it."""

SAME_SERIES: Final = (*SAME_JUDGE, Fact("recipe", "recipe.name"))
"""What must agree in every run of one trend."""

MAY_DIFFER: Final = ("candidates.B", "budget", "judge.nova.run.name")
"""Parts of a recipe that may differ within a trend."""


def first_difference(
    one: Mapping[str, Any], other: Mapping[str, Any], facts: Iterable[Fact]
) -> Difference | None:
    """The first of `facts` that the metrics of two runs state differently."""
    for name, path in facts:
        here, there = at(one, path), at(other, path)
        if here != there:
            return Difference(name, here, there)
    return None


def compared_settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe by dotted paths, without what may differ."""
    return {
        path: value
        for path, value in _flat(recipe, "").items()
        if not any(path == free or path.startswith(f"{free}.") for free in MAY_DIFFER)
    }


def at(values: Mapping[str, Any], path: str) -> object:
    """What stands at a dotted path; None where nothing does."""
    value: object = values
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
