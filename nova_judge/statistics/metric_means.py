"""Means of scores with intervals: what every kind of run that scores single answers reports.

A score lies between the ends of its scale. Two-valued scores are proportions and get Wilson's
interval, all others the mean's interval under Dirichlet weights, as the win rate does. Scores
without a known scale, and differences of paired scores, have the interval of `observed_scale`.
Where prompts repeat (`keys`; 0 is a row alone), intervals and tests are of prompts.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats, Keys
from nova_judge.statistics.clusters import METHOD as CLUSTERS
from nova_judge.statistics.clusters import cluster_bounds, cluster_counts, repeated
from nova_judge.statistics.decision import Word, decide, holm
from nova_judge.statistics.dirichlet_mean import Bounds, mean_bounds, values_and_rows
from nova_judge.statistics.observed_scale import (
    ALL_EQUAL,
    BY_PROMPT,
    METHOD,
    MIN_ROWS,
    mean_difference_p_value,
    observed_bounds,
)
from nova_judge.statistics.win_rate import DIRICHLET, Interval, wilson

__all__ = [
    "mean_difference",
    "mean_score",
    "recovered_rows",
    "reported_interval",
    "share_bounds",
    "shown_together",
]

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
    scores: Sequence[float],
    scale: Scale | None = UNIT,
    level: float = 0.95,
    keys: Keys | None = None,
) -> Interval | Unscored:
    """The mean of `scores` in their own unit, with an interval that keeps within the scale.

    The mean is summed exactly, so that parts of a file merge to the mean of the whole. `scale` is
    None where nobody knows it. Raises ValueError for a score off the scale: whoever reads scores
    must have refused it.

    >>> found = mean_score([0.2, 0.4, 0.9])
    >>> found.estimate, round(found.low, 2), round(found.high, 2)
    (0.5, 0.21, 0.82)
    """
    if not scores:
        return Unscored("no row has a score")
    if scale is None or len(scores) < MIN_ROWS:
        return _on_observed_scale(np.array(scores, dtype=np.float64), level, None, keys)
    off_scale = [score for score in scores if not scale.low <= score <= scale.high]
    if off_scale:
        raise ValueError(f"{off_scale[0]} does not lie in [{scale.low}, {scale.high}]")
    if scale.width == 0:
        return Unscored("the scale has one value, which says nothing")
    mean = math.fsum(scores) / len(scores)
    shares = (np.array(scores, dtype=np.float64) - scale.low) / scale.width
    ends, method = _shares_interval(shares, level, keys)
    return Interval(
        estimate=mean,
        low=scale.low if mean == scale.low else min(mean, scale.low + ends.low * scale.width),
        high=scale.high if mean == scale.high else max(mean, scale.low + ends.high * scale.width),
        level=level,
        method=method,
    )


def _shares_interval(shares: Floats, level: float, keys: Keys | None) -> tuple[Bounds, str]:
    """The ends and the method for values in [0, 1]: Wilson's where every one is 0 or 1."""
    if keys is not None:
        counts = cluster_counts(keys, shares, np.zeros(len(shares), dtype=np.int64))
        if counts is not None:
            return cluster_bounds(counts, level), CLUSTERS
    if ((shares > 0.0) & (shares < 1.0)).any():
        return share_bounds(shares, level), DIRICHLET
    proportion = wilson(int((shares == 1.0).sum()), len(shares), level)
    assert isinstance(proportion, Interval)  # noqa: S101 (there are rows)
    return Bounds(proportion.low, proportion.high), proportion.method


def share_bounds(shares: Floats, level: float) -> Bounds:
    """The ends of the interval of a mean of values in [0, 1], in any order; at least one value.

    The rows are the Dirichlet weights of their values, with half an observation at 0 and at 1, as
    in `win_rate.score_interval`, but on the values themselves and no grid.

    >>> bounds = share_bounds(np.array([0.2, 0.4, 0.9]), 0.95)
    >>> round(bounds.low, 2), round(bounds.high, 2)
    (0.21, 0.82)
    """
    values, rows = values_and_rows(shares)
    atoms = np.concatenate(([0.0, 1.0], values, 1.0 - values))
    weights = np.concatenate(([_END, _END], rows, np.zeros(len(rows))))
    support, place = np.unique(atoms, return_inverse=True)  # symmetric, as `mean_bounds` needs it
    return mean_bounds(support, np.bincount(place, weights).astype(np.float64), level)


def mean_difference(
    pairs: Sequence[tuple[float, float]],
    scale: Scale | None = UNIT,
    level: float = 0.95,
    keys: Keys | None = None,
) -> Interval | Unscored:
    """The mean of second minus first over rows that have both; positive: the second is higher.

    Taken row by row, so that what makes a prompt hard for both cancels.

    >>> found = mean_difference([(0.2, 0.5), (0.4, 0.6), (0.1, 0.5)])
    >>> round(found.estimate, 3)
    0.3
    """
    if not pairs:
        return Unscored("no row has both scores")
    ends = None if scale is None else Bounds(-scale.width, scale.width)
    return _on_observed_scale(_differences(pairs), level, ends, keys)


class PairedScores(NamedTuple):
    """First and second score of the rows that have both, the scale, and the rows' prompts."""

    pairs: Sequence[tuple[float, float]]
    scale: Scale | None = UNIT
    keys: Keys | None = None


def shown_together(metrics: Mapping[str, PairedScores], level: float = 0.95) -> set[str]:
    """The metrics whose difference is shown not to be zero, by Holm's correction of their tests.

    Where no metric differs, the chance that any is named is at most 1 - level, however many there
    are and however they hang together. A metric is named only where its interval leaves zero out.

    >>> rouge, bleu = PairedScores([(0.1, 0.6)] * 20, UNIT), PairedScores([(0.1, 0.1)] * 20, UNIT)
    >>> shown_together({"rouge": rouge, "bleu": bleu})
    {'rouge'}
    """
    held = {name: metric for name, metric in metrics.items() if metric.pairs}
    corrected = holm(
        [mean_difference_p_value(_differences(each.pairs), each.keys) for each in held.values()]
    )
    intervals = (
        mean_difference(each.pairs, each.scale, level, each.keys) for each in held.values()
    )
    return {
        name
        for name, interval, p_value in zip(held, intervals, corrected, strict=True)
        if isinstance(interval, Interval)
        and decide(p_value, interval, level=level, centre=0.0) is not Word.INCONCLUSIVE
    }


def _differences(pairs: Sequence[tuple[float, float]]) -> Floats:
    return np.array([second - first for first, second in pairs], dtype=np.float64)


def _on_observed_scale(
    values: Floats, level: float, ends: Bounds | None, keys: Keys | None
) -> Interval | Unscored:
    bounds = observed_bounds(values, level, ends, keys)
    if isinstance(bounds, Unscored):
        return bounds
    mean = math.fsum(values.tolist()) / len(values)
    method = BY_PROMPT if repeated(keys) else METHOD
    if values.min() == values.max():
        method = ALL_EQUAL
    return Interval(mean, min(mean, bounds.low), max(mean, bounds.high), level, method)


def recovered_rows(mean: float, standard_error: float) -> int | None:
    """The number of rows behind a proportion that came with its standard error only, or None.

    The container's standard error of a mean of zeros and ones is sqrt(p (1 - p) / (n - 1)); an n
    that makes both n and p n whole is that mean's own. Anything else is not a single proportion.

    >>> recovered_rows(0.25, (0.25 * 0.75 / 99) ** 0.5)
    100
    >>> recovered_rows(0.25, 0.4) is None
    True
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

    >>> reported_interval(0.25, (0.25 * 0.75 / 99) ** 0.5).method
    'Wilson'
    >>> isinstance(reported_interval(0.25, None), Unscored)
    True
    """
    rows = recovered_rows(mean, standard_error) if standard_error is not None else None
    if rows is None:
        return Unscored("the container's summary does not tell how many rows are behind the mean")
    return wilson(round(mean * rows), rows, level)
