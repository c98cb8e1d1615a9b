"""Means of scores with intervals: what every kind of run that scores single answers reports.

A score lies between the ends of its scale. Two-valued scores are proportions and get Wilson's
interval, all others the mean's interval under Dirichlet weights, as the win rate does.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.dirichlet_mean import Bounds, Floats, mean_bounds
from nova_judge.statistics.win_rate import DIRICHLET, Interval, wilson

_MOST_VALUES = 200
_END = 0.5


class Scale(NamedTuple):
    """The ends between which a score lies."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


UNIT = Scale(0.0, 1.0)


def mean_score(
    scores: Sequence[float], scale: Scale = UNIT, level: float = 0.95
) -> Interval | Unscored:
    """The mean of `scores` in their own unit, with an interval that keeps within the scale.

    The mean is summed exactly, so that parts of a file merge to the mean of the whole. Raises
    ValueError for a score off the scale: whoever reads scores must have refused it.
    """
    if not scores:
        return Unscored("no row has a score")
    off_scale = [score for score in scores if not scale.low <= score <= scale.high]
    if off_scale:
        raise ValueError(f"{off_scale[0]} does not lie in [{scale.low}, {scale.high}]")
    if scale.width == 0:
        return Interval(scale.low, scale.low, scale.low, level, "a scale of one value")
    mean = math.fsum(scores) / len(scores)
    shares = (np.array(scores, dtype=np.float64) - scale.low) / scale.width
    proportion = _proportion(shares, level)
    ends = Bounds(proportion.low, proportion.high) if proportion else share_bounds(shares, level)
    return Interval(
        estimate=mean,
        low=scale.low if mean == scale.low else min(mean, scale.low + ends.low * scale.width),
        high=scale.high if mean == scale.high else max(mean, scale.low + ends.high * scale.width),
        level=level,
        method=proportion.method if proportion else DIRICHLET,
    )


def share_bounds(shares: Floats, level: float) -> Bounds:
    """The ends of the interval of a mean of values in [0, 1], in any order; at least one value.

    The rows are the Dirichlet weights of their values, with half an observation at 0 and at 1, as
    in `win_rate.score_interval`, but on the values themselves and no grid.
    """
    values, rows = _values_and_rows(shares)
    atoms = np.concatenate(([0.0, 1.0], values, 1.0 - values))
    weights = np.concatenate(([_END, _END], rows, np.zeros(len(rows))))
    support, place = np.unique(atoms, return_inverse=True)  # symmetric, as `mean_bounds` needs it
    return mean_bounds(support, np.bincount(place, weights).astype(np.float64), level)


def _values_and_rows(shares: Floats) -> tuple[Floats, Floats]:
    """The values and the rows of each; where more than 200 differ, the means of 200 parts of them.

    Means keep the mean of all rows, and what varies within a part is too little to be seen.
    """
    values, counts = np.unique(shares, return_counts=True)
    rows = counts.astype(np.float64)
    if len(values) <= _MOST_VALUES:
        return values, rows
    part = np.floor((values - values[0]) / (values[-1] - values[0]) * _MOST_VALUES)
    first = np.flatnonzero(np.diff(part, prepend=-1.0))
    in_part = np.add.reduceat(rows, first)
    return np.add.reduceat(values * rows, first) / in_part, in_part


def _proportion(shares: Floats, level: float) -> Interval | None:
    """Wilson's interval where every value is 0 or 1."""
    if ((shares > 0.0) & (shares < 1.0)).any():
        return None
    interval = wilson(int((shares == 1.0).sum()), len(shares), level)
    return None if isinstance(interval, Unscored) else interval


def mean_difference(
    pairs: Sequence[tuple[float, float]], scale: Scale = UNIT, level: float = 0.95
) -> Interval | Unscored:
    """The mean of second minus first over rows that have both; positive: the second is higher.

    Taken row by row, so that what makes a prompt hard for both cancels.
    """
    width = scale.width
    return mean_score([second - first for first, second in pairs], Scale(-width, width), level)


def shown_together(
    pairs: Mapping[str, tuple[Sequence[tuple[float, float]], Scale]], level: float = 0.95
) -> set[str]:
    """The metrics whose difference is shown not to be zero, by Holm's step-down over intervals.

    Where no metric differs, the chance that any is named is at most 1 - level, however many there
    are and however they hang together.
    """
    left, shown = dict(pairs), set[str]()
    while left:
        at = 1 - (1 - level) / len(left)
        found = {name for name, (held, scale) in left.items() if _differs(held, scale, at)}
        if not found:
            break
        shown |= found
        left = {name: held for name, held in left.items() if name not in found}
    return shown


def _differs(held: Sequence[tuple[float, float]], scale: Scale, level: float) -> bool:
    interval = mean_difference(held, scale, level)
    return not isinstance(interval, Unscored) and not interval.low <= 0 <= interval.high


def recovered_rows(mean: float, standard_error: float) -> int | None:
    """The number of rows behind a proportion that came with its standard error only, or None.

    The container's standard error of a mean of zeros and ones is sqrt(p (1 - p) / (n - 1)); an n
    that makes both n and p n whole is that mean's own. Anything else is no single proportion.
    """
    if not 0 < mean < 1 or standard_error <= 0:
        return None
    rows = mean * (1 - mean) / standard_error**2 + 1
    whole = round(rows)
    wins = mean * whole
    is_whole = abs(rows - whole) < 1e-6 * rows and abs(wins - round(wins)) < 1e-6 * rows
    return whole if is_whole and whole > 1 else None


def reported_interval(
    mean: float, standard_error: float | None, level: float = 0.95
) -> Interval | Unscored:
    """The interval of a mean in [0, 1] of which only the container's summary is known.

    Wilson where the rows behind a proportion can be recovered, nothing otherwise: a normal interval
    around a mean near an end, or an average over unequal sub-tasks, would only look exact.
    """
    rows = recovered_rows(mean, standard_error) if standard_error is not None else None
    if rows is None:
        return Unscored("the container's summary does not tell how many rows are behind the mean")
    return wilson(round(mean * rows), rows, level)
