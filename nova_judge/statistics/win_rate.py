"""The win rate of B with intervals that keep their level when prompts are few.

A row scores the mean over both orders: B 1, tie 1/2, A 0. The unit of every
interval is the prompt, so both orders of one prompt are never taken for two observations.
"""

import functools
import math
from collections import Counter
from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.records import Unscored
from nova_judge.statistics.dirichlet_mean import Bounds, mean_bounds, quantile
from nova_judge.statistics.outcomes import ProfileCounts

__all__ = [
    "equivalence_interval",
    "percentile_bootstrap",
    "score_interval",
    "scores_of_preferences",
    "scores_of_profiles",
    "standard_error",
    "wilson",
]

DIRICHLET = "Dirichlet weights over prompts, half an observation at either end"
ONE_SIDED = "Dirichlet weights over prompts, one observation at the end of each one-sided bound"
WILSON = "Wilson"
BOOTSTRAP = "percentile bootstrap over prompts"

_PREFERENCE_STEPS = 400
_END = 0.5
_KEPT = 64
"""Intervals kept: a run's verdict, gate, slices and leaderboard ask for the same ones."""


class Interval(msgspec.Struct, frozen=True):
    """An estimate in [0, 1] with the ends of its interval, the level and the method by name."""

    estimate: float
    low: float
    high: float
    level: float
    method: str


class ScoreCounts(NamedTuple):
    """Number of judged rows with the score k/steps, for k = 0 .. steps; 1 means that B won."""

    counts: tuple[int, ...]

    @property
    def steps(self) -> int:
        return len(self.counts) - 1

    @property
    def rows(self) -> int:
        return sum(self.counts)

    @property
    def wins(self) -> float:
        """The sum of the scores."""
        return sum(score * rows for score, rows in enumerate(self.counts)) / self.steps

    @property
    def losses(self) -> float:
        """The sum of what is missing from 1."""
        return self.mirrored().wins

    @property
    def mean(self) -> float:
        """The mean score, mirrored exactly when the counts are."""
        if self.wins > self.losses:
            return 1.0 - self.losses / self.rows
        return self.wins / self.rows

    @property
    def b_is_ahead(self) -> bool:
        """True if B has more than half of the score; at exactly half, the order of counts says."""
        if self.wins != self.losses:
            return self.wins > self.losses
        return self.counts > self.counts[::-1]

    def mirrored(self) -> "ScoreCounts":
        """The scores of A."""
        return ScoreCounts(self.counts[::-1])


def scores_of_profiles(profiles: ProfileCounts) -> ScoreCounts:
    """The scores of the rows with both verdicts, in quarters.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> judged = [EvidenceRow(Verdict.B, Verdict.B), EvidenceRow(Verdict.A, Verdict.TIE)]
    >>> scores_of_profiles(gather(judged).profiles).counts
    (0, 1, 0, 0, 1)
    """
    return ScoreCounts(profiles.quarters)


def scores_of_preferences(preferences: Iterable[float]) -> ScoreCounts:
    """Preferences in [0, 1] (the share that B wins) to the nearest 1/400, for an interval.

    The rounding widens the interval by less than a hundred thousandth of its width.

    >>> scores_of_preferences([0.0, 0.5, 1.0]).mean
    0.5
    """
    tally = Counter(round(preference * _PREFERENCE_STEPS) for preference in preferences)
    return ScoreCounts(tuple(tally[step] for step in range(_PREFERENCE_STEPS + 1)))


@functools.lru_cache(maxsize=_KEPT)
def score_interval(scores: ScoreCounts, level: float = 0.95) -> Interval | Unscored:
    """Mean score with the interval of the mean under Dirichlet weights.

    The counts, with half an observation added at 0 and at 1, are the weights: the Bayesian
    bootstrap (Rubin 1981) with the ends that Jeffreys' interval has. A mean at an end keeps it.
    Computed for the side that is behind and turned about for the other: exact mirrors.

    >>> found = score_interval(ScoreCounts((3, 7)))
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (0.7, 0.394, 0.907)
    """
    if not scores.rows:
        return Unscored("no row was judged")
    if scores.b_is_ahead:
        of_a = _interval_of_mean(scores.mirrored(), level)
        return Interval(1.0 - of_a.estimate, 1.0 - of_a.high, 1.0 - of_a.low, level, DIRICHLET)
    return _interval_of_mean(scores, level)


@functools.lru_cache(maxsize=_KEPT)
def equivalence_interval(scores: ScoreCounts, level: float = 0.95) -> Interval:
    """Mean score with two one-sided bounds, each at `level`: the interval at 2 x level - 1.

    There is at least one row.

    For two one-sided tests (Schuirmann 1987). Each bound has one whole observation at its own
    adverse end and none at the other: with half a one, a sample in which nearly all rows tie would
    look narrower than it is, and equivalence be claimed in up to 20 % of runs at the margin.

    >>> found = equivalence_interval(ScoreCounts((50, 300, 50)))
    >>> round(found.low, 3), round(found.high, 3)
    (0.478, 0.522)
    """
    low = 1.0 - _upper_bound(scores.mirrored(), level)
    return Interval(scores.mean, low, _upper_bound(scores, level), 2.0 * level - 1.0, ONE_SIDED)


def _upper_bound(scores: ScoreCounts, level: float) -> float:
    weights = np.array(scores.counts, dtype=np.float64)
    weights[-1] += 2 * _END
    kept = weights > 0
    values = np.arange(scores.steps + 1)[kept] / scores.steps
    if len(values) == 1:
        return 1.0
    return max(quantile(level, values, weights[kept]), scores.mean)


def _weighted(scores: ScoreCounts) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The scores that occur on either side, and their weights with half an observation an end."""
    weights = np.array(scores.counts, dtype=np.float64)
    weights[0] += _END
    weights[-1] += _END
    values = np.arange(scores.steps + 1) / scores.steps
    kept = weights + weights[::-1] > 0
    return values[kept], weights[kept]


def _interval_of_mean(scores: ScoreCounts, level: float) -> Interval:
    bounds = mean_bounds(*_weighted(scores), level)
    estimate = scores.mean
    low = 0.0 if estimate == 0 else min(bounds.low, estimate)
    return Interval(estimate, low, max(bounds.high, estimate), level, DIRICHLET)


def wilson(successes: float, trials: float, level: float = 0.95) -> Interval | Unscored:
    """A proportion with Wilson's score interval (Wilson 1927, JASA 22).

    >>> found = wilson(7, 10)
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (0.7, 0.397, 0.892)
    """
    if not trials:
        return Unscored("no row names one candidate throughout")
    turned = 2 * successes > trials
    share = (trials - successes if turned else successes) / trials
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    centre, scale = share + z * z / (2 * trials), 1 + z * z / trials
    low = 0.0 if share == 0 else (centre - spread) / scale
    high = (centre + spread) / scale
    if turned:
        return Interval(1.0 - share, 1.0 - high, 1.0 - low, level, WILSON)
    if 2 * successes == trials:
        high = 1.0 - low
    return Interval(share, low, high, level, WILSON)


def standard_error(scores: ScoreCounts) -> float | None:
    """The standard error of the mean score, from the sample variance; None below two rows.

    >>> round(standard_error(ScoreCounts((50, 50))), 4)
    0.0503
    """
    if scores.rows < 2:
        return None
    mean = scores.mean
    squares = math.fsum(
        rows * (step / scores.steps - mean) ** 2 for step, rows in enumerate(scores.counts)
    )
    return math.sqrt(squares / (scores.rows - 1) / scores.rows)


def percentile_bootstrap(
    scores: ScoreCounts, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> Interval | Unscored:
    """The percentile bootstrap of the mean score, to stand beside the container's own interval.

    Drawing rows with replacement is drawing multinomial counts: the same distribution exactly, at
    a cost that does not grow with the rows. Its coverage is poor below some fifty prompts.

    >>> found = percentile_bootstrap(ScoreCounts((30, 70)), seed=7)
    >>> round(found.low, 2), round(found.high, 2)
    (0.61, 0.79)
    """
    if not scores.rows:
        return Unscored("no row was judged")
    observed = np.flatnonzero(scores.counts)
    counts = np.array(scores.counts, dtype=np.int64)[observed]
    drawn = np.random.default_rng(seed).multinomial(
        scores.rows, counts / scores.rows, size=resamples
    )
    means = drawn @ (observed / scores.steps) / scores.rows
    tail = (1.0 - level) / 2.0
    bounds = Bounds(*np.quantile(means, [tail, 1.0 - tail]).tolist())
    return Interval(scores.mean, bounds.low, bounds.high, level, BOOTSTRAP)
