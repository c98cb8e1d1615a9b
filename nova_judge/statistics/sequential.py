"""Tests and intervals that hold however often one looks: judging may stop between any two jobs.

Both are mixtures of likelihood ratios over a Beta(10, 10) prior. Under the null they are
(super)martingales that start at 1, so that they ever reach 1/alpha with probability at most alpha
(Ville 1939; Robbins 1970, Ann. Math. Stat. 41; Ramdas et al. 2023, Stat. Sci. 38).
"""

import math
from typing import NamedTuple

from nova_judge.records import Unscored
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.win_rate import Interval, ScoreCounts, scores_of_profiles

CONFIDENCE_SEQUENCE = "confidence sequence (beta mixture), valid at every look"
PRIOR = 10.0
"""Beta(10, 10) decides a true .60 soonest: some 215 decided rows on average."""


class Stop(NamedTuple):
    """Why judging may stop: the evidence decides already."""

    reason: str


def e_value(first: int, second: int) -> float:
    """Evidence against a fair coin from these two counts; may be `inf`, 1 without any data."""
    log_evidence = (
        _log_beta(first + PRIOR, second + PRIOR)
        - _log_beta(PRIOR, PRIOR)
        + (first + second) * math.log(2.0)
    )
    return math.exp(log_evidence) if log_evidence < 700 else math.inf


def anytime_p_value(first: int, second: int) -> float:
    """A p-value for a fair coin that stays valid when one stops at will."""
    return min(1.0, 1.0 / e_value(first, second))


def win_rate_anytime(scores: ScoreCounts, level: float = 0.95) -> Interval | Unscored:
    """The mean score with the confidence sequence of the same mixture.

    For scores between 0 and 1 that are no coin tosses (ties, inconsistent rows) the likelihood
    ratio is a supermartingale by convexity, so the interval is valid and somewhat wide.
    """
    if not scores.rows:
        return Unscored("no row was judged")
    estimate = scores.mean
    low = _crossing(scores.wins, scores.losses, level)
    high = 1.0 - _crossing(scores.losses, scores.wins, level)
    return Interval(estimate, min(low, estimate), max(high, estimate), level, CONFIDENCE_SEQUENCE)


def may_stop(
    profiles: ProfileCounts, level: float = 0.95, equivalence_margin: float | None = None
) -> Stop | None:
    """Whether the rows judged so far decide; to be asked after any job, as often as one likes.

    A run that stopped must be reported with `StatisticsSettings.anytime`: an ordinary p-value or
    interval does not hold after optional stopping.
    """
    tally = profiles.reconciled
    p_value = anytime_p_value(tally.a, tally.b)
    if p_value <= 1.0 - level:
        better = "B" if tally.b > tally.a else "A"
        return Stop(
            f"{better} is ahead {max(tally.a, tally.b)} to {min(tally.a, tally.b)} on rows that "
            f"both orders decide (anytime-valid p = {p_value:.2g})"
        )
    interval = win_rate_anytime(scores_of_profiles(profiles), level)
    if equivalence_margin is None or isinstance(interval, Unscored):
        return None
    if max(interval.high - 0.5, 0.5 - interval.low) <= equivalence_margin:
        return Stop(
            f"the win rate lies within {equivalence_margin:g} of one half "
            f"({interval.low:.3f} to {interval.high:.3f}, anytime-valid)"
        )
    return None


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)


def _crossing(wins: float, losses: float, level: float) -> float:
    """The lowest mean that the mixture does not reject; 0 where it rejects none below."""
    if wins == 0:
        return 0.0
    threshold = -math.log(1.0 - level)
    mixture = _log_beta(wins + PRIOR, losses + PRIOR) - _log_beta(PRIOR, PRIOR)
    low, high = 0.0, wins / (wins + losses)
    for _ in range(60):
        middle = (low + high) / 2.0
        likelihood = wins * math.log(middle) + (losses * math.log1p(-middle) if losses else 0.0)
        if mixture - likelihood >= threshold:
            low = middle
        else:
            high = middle
    return low
