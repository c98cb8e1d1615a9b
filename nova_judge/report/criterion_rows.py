"""Criteria of a rubric as reports and trends print them."""

from collections.abc import Mapping, Sequence
from typing import Any

Metrics = Mapping[str, Any]
MOST_IN_A_TREND = 5


def criteria_of(metrics: Metrics) -> list[Mapping[str, Any]]:
    """The criteria of a run, as its metrics list them; none for a judge without rubric."""
    return list((metrics.get("rubric") or {}).get("criteria") or [])


def common_criteria(runs: Sequence[Metrics]) -> list[str]:
    """Names of the criteria that every run with a rubric has, the most used first."""
    names = [[str(criterion["name"]) for criterion in criteria_of(run)] for run in runs]
    listed = [each for each in names if each]
    if not listed:
        return []
    return [name for name in listed[-1] if all(name in each for each in listed)][:MOST_IN_A_TREND]


def difference_of(metrics: Metrics, name: str) -> float | None:
    """Mean difference B less A of one criterion on a scale from 0 to 1; None if unknown."""
    for criterion in criteria_of(metrics):
        if criterion["name"] == name:
            return float(criterion["mean_B"] - criterion["mean_A"])
    return None
