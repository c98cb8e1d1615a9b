"""Runs of a stage added up: what they were estimated to cost beside what was metered."""

from collections.abc import Iterable, Mapping

import msgspec

from nova_judge.findings.index_entry import IndexEntry


class RecipeCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one recipe, in US dollars. `metered` of its `runs` have a bill; the estimates beside
    it are theirs alone, so that both sums speak of the same runs. `estimated_usd` is of all.
    """

    recipe: str
    runs: int
    metered: int
    estimated_usd: float
    estimated_of_metered_usd: float
    actual_usd: float
    actual_parts: Mapping[str, float]


def costs_by_recipe(entries: Iterable[IndexEntry]) -> list[RecipeCosts]:
    """A sum per recipe, the most expensive first."""
    groups: dict[str, list[IndexEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.recipe, []).append(entry)
    sums = [_sum(recipe, runs) for recipe, runs in groups.items()]
    return sorted(sums, key=lambda one: (-one.actual_usd, -one.estimated_usd, one.recipe))


def _sum(recipe: str, runs: list[IndexEntry]) -> RecipeCosts:
    billed = [run for run in runs if run.actual_usd is not None]
    parts: dict[str, float] = {}
    for run in billed:
        for part, usd in run.actual_parts.items():
            parts[part] = parts.get(part, 0.0) + usd
    return RecipeCosts(
        recipe=recipe,
        runs=len(runs),
        metered=len(billed),
        estimated_usd=sum(run.estimate_usd or 0.0 for run in runs),
        estimated_of_metered_usd=sum(run.estimate_usd or 0.0 for run in billed),
        actual_usd=sum(run.actual_usd or 0.0 for run in billed),
        actual_parts=parts,
    )
