"""Criteria of a rubric as reports and trends print them."""

from collections.abc import Sequence

from nova_judge.findings.metrics_record import Metrics

MOST_IN_A_TREND = 5


def common_criteria(runs: Sequence[Metrics]) -> list[str]:
    """Names of the criteria that every run with a rubric has, the most used first."""
    names = [[each.name for each in run.rubric.criteria] for run in runs if run.rubric]
    listed = [each for each in names if each]
    if not listed:
        return []
    return [name for name in listed[-1] if all(name in each for each in listed)][:MOST_IN_A_TREND]


def difference_of(metrics: Metrics, name: str) -> float | None:
    """Mean difference B less A of one criterion on a scale from 0 to 1; None if unknown."""
    for criterion in metrics.rubric.criteria if metrics.rubric else ():
        if criterion.name == name:
            return criterion.mean_B - criterion.mean_A
    return None
