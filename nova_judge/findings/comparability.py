"""Rules for comparing runs: what must agree in `metrics.json`, what may differ in the recipe.

Candidate B may differ everywhere: it is what a comparison shows.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import orjson

from nova_judge.findings.metrics_record import Metrics


class Fact(NamedTuple):
    """A fact of a run: its name in a sentence, and what a run's metrics say of it."""

    name: str
    of: Callable[[Metrics], object]


UNNAMED: Final = frozenset({"response_A", "response_B"})
"""What a candidate is called whose answers a file brought without a name: no two are known to be
one, unless their answers agree."""


class Setting(NamedTuple):
    """A setting of a recipe: its dotted path, and its value as JSON."""

    path: str
    value: bytes


class FactDifference(NamedTuple):
    """A fact that two runs state differently; None is nothing stated."""

    name: str
    one: object
    other: object


def _baseline_stand_in(run: Metrics) -> str | None:
    return run.candidates["A"].stand_in if "A" in run.candidates else None


SAME_JUDGE: Final = (
    Fact("kind", lambda run: run.kind),
    Fact("judge", lambda run: run.judge.model),
    Fact("judge's prompt", lambda run: run.judge.prompt),
    Fact("stand-in for the judge", lambda run: run.judge.stand_in),
    Fact("weights", lambda run: run.reweighed and str(run.reweighed)),
    Fact("orders", lambda run: run.basis),
    Fact("baseline A", lambda run: run.name("A")),
    Fact("stand-in for baseline A", _baseline_stand_in),
)
"""What must agree where the rows of two runs are paired."""

SAME_FIGURES: Final = (
    Fact("confidence level", lambda run: run.win_rate and run.win_rate.level),
    Fact("interval method", lambda run: run.win_rate and run.win_rate.method),
)
"""What must agree where figures of two runs stand side by side; a failed run has none of it."""

SAME_SERIES: Final = (*SAME_JUDGE, Fact("recipe", lambda run: run.recipe.name))
"""What must agree in every run of one trend."""

MAY_DIFFER: Final = ("candidates.B", "budget", "judge.nova.run.name")
"""Parts of a recipe that may differ within a trend."""


def first_difference(one: Metrics, other: Metrics, facts: Iterable[Fact]) -> FactDifference | None:
    """The first of `facts` that the metrics of two runs state differently."""
    for name, of in facts:
        here, there = of(one), of(other)
        if here != there:
            return FactDifference(name, here, there)
    return None


def compared_settings(recipe: object) -> frozenset[Setting]:
    """The settings of a recipe's JSON, without what may differ."""
    return frozenset(
        setting
        for setting in _flat(recipe, "")
        if not any(f"{setting.path}.".startswith(f"{free}.") for free in MAY_DIFFER)
    )


def _flat(value: object, path: str) -> Iterator[Setting]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    else:
        yield Setting(path, orjson.dumps(value))
