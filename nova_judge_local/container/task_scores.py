"""Means of the container, shared by the stand-ins for benchmarks, own data and rewards."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev

STAND_IN = "local stand-in for the evaluation container"

RowScores = Mapping[str, float]


def with_standard_errors(rows: Sequence[RowScores]) -> dict[str, float]:
    """The mean of each metric over the rows that have it, and `<metric>_stderr` beside it."""
    figures: dict[str, float] = {}
    for metric in dict.fromkeys(name for row in rows for name in row):
        values = [row[metric] for row in rows if metric in row]
        figures[metric] = fmean(values)
        if len(values) > 1:
            figures[f"{metric}_stderr"] = stdev(values) / math.sqrt(len(values))
    return figures


def averaged(tasks: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """`all`: the plain average over tasks, whatever their size, as LightEval gives it."""
    held = list(tasks)
    names = dict.fromkeys(name for task in held for name in task)
    return {name: fmean([task[name] for task in held if name in task]) for name in names}
