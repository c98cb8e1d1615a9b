"""Means of scores with intervals: what every kind of run that scores single answers reports.

A score lies between the ends of its scale. Two-valued scores are proportions and get Wilson's
interval, all others the mean's interval under Dirichlet weights, as the win rate does.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nova_judge.records import Unscored
from nova_judge.statistics.win_rate import Interval, score_interval, scores_of_preferences, wilson


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
    shares = [(score - scale.low) / scale.width for score in scores]
    interval = _two_valued(shares, level) or score_interval(scores_of_preferences(shares), level)
    if isinstance(interval, Unscored):
        return interval
    return interval._replace(
        estimate=math.fsum(scores) / len(scores),
        low=scale.low + interval.low * scale.width,
        high=scale.low + interval.high * scale.width,
    )


def _two_valued(shares: Sequence[float], level: float) -> Interval | Unscored | None:
    if any(0.0 < share < 1.0 for share in shares):
        return None
    return wilson(sum(share == 1.0 for share in shares), len(shares), level)


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
