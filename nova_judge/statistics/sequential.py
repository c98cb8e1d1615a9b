"""Tests and intervals that hold however often one looks: judging may stop between any two jobs.

Both are mixtures of likelihood ratios over a Beta(10, 10) prior. Under the null they are
(super)martingales that start at 1, so that they ever reach 1/alpha with probability at most alpha
(Ville 1939; Robbins 1970, Ann. Math. Stat. 41; Ramdas et al. 2023, Stat. Sci. 38).
"""

import math

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.clusters import ClusterCounts
from nova_judge.statistics.root_between import end_of, root_between
from nova_judge.statistics.win_rate import Interval, ScoreCounts

__all__ = ["anytime_p_value", "e_value", "win_rate_anytime"]

CONFIDENCE_SEQUENCE = "confidence sequence (beta mixture), valid at every look"
PRIOR = 10.0
"""Beta(10, 10) decides a true .60 soonest: some 215 decided rows on average."""

_WIDTH = 1.5  # of a first guess at the interval, in units of a row's range
_EXPECTED = np.linspace(0.0, 1.0, 2003)[1:-1]
_DENSITY = (PRIOR - 1.0) * (np.log(_EXPECTED) + np.log1p(-_EXPECTED))
_LOG_PRIOR = _DENSITY - math.log(float(np.exp(_DENSITY).sum()))


def e_value(first: int, second: int) -> float:
    """Evidence against a fair coin from these two counts; may be `inf`, 1 without any data.

    >>> e_value(0, 0), round(e_value(15, 45), 1)
    (1.0, 170.5)
    """
    log_evidence = (
        _log_beta(first + PRIOR, second + PRIOR)
        - _log_beta(PRIOR, PRIOR)
        + (first + second) * math.log(2.0)
    )
    return math.exp(log_evidence) if log_evidence < 700 else math.inf


def anytime_p_value(first: int, second: int) -> float:
    """A p-value for a fair coin that stays valid when one stops at will.

    >>> round(anytime_p_value(20, 40), 3), round(anytime_p_value(15, 45), 4)
    (0.156, 0.0059)
    """
    return min(1.0, 1.0 / e_value(first, second))


def win_rate_anytime(scores: ScoreCounts, level: float = 0.95) -> Interval | Unscored:
    """The mean score with the confidence sequence of the same mixture, as a bet on every score.

    A mean of m is rejected where the product of 1 + k (score - m), mixed over k, reaches
    1 / (1 - level) (Waudby-Smith and Ramdas 2024, JRSS B 86). On coin tosses that is the likelihood
    ratio of `e_value`; a score of m costs nothing, so that ties do not widen it against 1/2.

    >>> found = win_rate_anytime(ScoreCounts((15, 45)))
    >>> found.estimate, round(found.low, 2), round(found.high, 2)
    (0.75, 0.54, 0.9)
    """
    if not scores.rows:
        return Unscored("no row was judged")
    held = np.flatnonzero(scores.counts)
    values, rows = held / scores.steps, np.array(scores.counts, dtype=np.float64)[held]
    return _sequence(values, rows, scores.mean, level)


def prompts_anytime(clusters: ClusterCounts, level: float = 0.95) -> Interval:
    """The mean score over rows; its confidence sequence is that of the prompts' means."""
    table = [(cluster.wins / cluster.rows, cluster.prompts) for cluster in clusters.clusters]
    values, prompts = np.array(table, dtype=np.float64).T
    return _sequence(values, prompts, clusters.wins / clusters.rows, level)


def _sequence(values: Floats, rows: Floats, estimate: float, level: float) -> Interval:
    low = _crossing(values, rows, level)
    high = 1.0 - _crossing(1.0 - values, rows, level)
    return Interval(estimate, min(low, estimate), max(high, estimate), level, CONFIDENCE_SEQUENCE)


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)


def _crossing(values: Floats, rows: Floats, level: float) -> float:
    """The lowest mean that the bets do not reject; 0 where they reject none below."""
    total = float(rows @ values)
    if total == 0.0:
        return 0.0
    mean, least = total / float(rows.sum()), -math.log(1.0 - level)

    def excess(tried: float) -> float:
        return least - _log_wealth(values, rows, tried)

    low = end_of(excess, mean, -_WIDTH / math.sqrt(float(rows.sum())))
    return 0.0 if low.value >= 0 else root_between(excess, low, end_of(excess, mean, 0.0))


def _log_wealth(values: Floats, rows: Floats, mean: float) -> float:
    """The log of the mixture of bets against this mean, 0 < mean < 1.

    A bet that expects the mean t stakes k = (t - m) / (m (1 - m)).
    """
    stakes = (_EXPECTED - mean) / (mean * (1.0 - mean))
    logs = _LOG_PRIOR + rows @ np.log1p(stakes * (values - mean)[:, None])
    most = float(logs.max())
    return most + math.log(float(np.exp(logs - most).sum()))
