"""Two candidates' rows, counted: what win rate, test and decision are made of.

Every surface that says who is better asks `decision_of` of a contest: the verdict, the gate at its
default, categories, the leaderboard, a reweighing.
"""

import math
from typing import NamedTuple

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.clusters import (
    METHOD,
    ONE_SIDED,
    ClusterCounts,
    cluster_bounds,
    cluster_p_value,
    cluster_upper_bound,
    leading_prompts,
    standard_error_of_clusters,
)
from nova_judge.statistics.decision import Word, decide, equivalent
from nova_judge.statistics.dirichlet_mean import Bounds
from nova_judge.statistics.distributions import sign_test
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.outcomes import ProfileCounts, ReconciledTally
from nova_judge.statistics.positions import LostOrders, lost_orders, reach_of_lost
from nova_judge.statistics.sequential import (
    anytime_p_value,
    prompts_anytime,
    win_rate_anytime,
)
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    equivalence_interval,
    score_interval,
    scores_of_preferences,
    scores_of_profiles,
    standard_error,
    wilson,
)

__all__ = [
    "contest_of",
    "contest_of_profiles",
    "decision_of",
    "decisive_rate_of",
    "equivalence_of",
    "p_value_of",
    "standard_error_of",
    "win_rate_of",
]

EXACT_TEST = "exact two-sided sign test"
PROMPTS_TEST = "exact two-sided sign-flip test of prompts"
ANYTIME_TEST = "anytime-valid sign test (beta mixture)"


class Contest(NamedTuple):
    """Counts of a comparison. a, b: rows that name this candidate throughout, of all `rows` sent.

    `lost` is None where no order was lost, `clusters` where no prompt repeats. `estimate` is the
    win rate where `scores` are rounded, `error` its standard error. `basis` says what a row is.
    """

    a: int
    b: int
    rows: int
    scores: ScoreCounts
    lost: LostOrders | None = None
    reach: Bounds = Bounds(0.0, 0.0)
    clusters: ClusterCounts | None = None
    estimate: float | None = None
    error: float | None = None
    basis: Basis = Basis.BOTH_ORDERS

    @property
    def decided(self) -> int:
        return self.a + self.b


def contest_of(evidence: Evidence, basis: Basis = Basis.BOTH_ORDERS) -> Contest:
    """The contest of these rows; of one order where the file has no other.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> contest = contest_of(gather([EvidenceRow(Verdict.A, Verdict.B)]))
    >>> contest.a, contest.b, contest.rows
    (0, 0, 1)
    """
    if basis is Basis.BOTH_ORDERS:
        contest = contest_of_profiles(evidence.profiles)
        return contest._replace(clusters=evidence.cluster_counts)
    counted = evidence.forward_alone()
    tally = counted.profiles.reconciled
    contest = Contest(
        tally.a,
        tally.b,
        evidence.rows,
        scores_of_profiles(counted.profiles),
        clusters=counted.cluster_counts,
        basis=basis,
    )
    if basis is not Basis.PREFERENCE:
        return contest
    preferences: list[float] = evidence.preferences[~np.isnan(evidence.preferences)].tolist()
    if not preferences:
        return contest._replace(scores=ScoreCounts((0, 0)))
    return contest._replace(
        scores=scores_of_preferences(preferences),
        estimate=math.fsum(preferences) / len(preferences),
        error=_error_of(preferences),
    )


def contest_of_profiles(profiles: ProfileCounts) -> Contest:
    """The contest of rows that were judged in both orders, of which no prompt repeats.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> contest_of_profiles(gather([EvidenceRow(Verdict.B, Verdict.B)] * 7).profiles).b
    7
    """
    tally = profiles.reconciled
    return Contest(
        tally.a,
        tally.b,
        profiles.rows,
        scores_of_profiles(profiles),
        lost=lost_orders(profiles),
        reach=reach_of_lost(profiles),
    )


def contest_of_tally(
    tally: ReconciledTally, clusters: ClusterCounts | None, basis: Basis
) -> Contest:
    """The contest of rows with one verdict each; those without one are its errors."""
    scores = ScoreCounts((tally.a, tally.ties, tally.b))
    return Contest(tally.a, tally.b, tally.rows, scores, clusters=clusters, basis=basis)


def win_rate_of(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> Interval | Unscored:
    """The win rate of B over rows with both verdicts, ties as half.

    Where orders were lost, the interval reaches as far as `reach_of_lost` says.

    >>> contest = Contest(a=3, b=7, rows=10, scores=ScoreCounts((3, 0, 0, 0, 7)))
    >>> found = win_rate_of(contest)
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (0.7, 0.394, 0.907)
    """
    interval = _interval_of(contest, settings)
    if isinstance(interval, Unscored):
        return interval
    estimate = interval.estimate if contest.estimate is None else contest.estimate
    shift = estimate - interval.estimate
    return Interval(
        estimate,
        min(estimate, max(0.0, interval.low + shift + contest.reach.low)),
        max(estimate, min(1.0, interval.high + shift + contest.reach.high)),
        settings.level,
        interval.method,
    )


def decisive_rate_of(
    contest: Contest, settings: StatisticsSettings = DEFAULTS
) -> Interval | Unscored:
    """The win rate of B over decided rows, ties and rows whose orders differ left out.

    >>> contest = Contest(a=3, b=7, rows=20, scores=ScoreCounts((3, 0, 10, 0, 7)))
    >>> decisive_rate_of(contest).estimate, win_rate_of(contest).estimate
    (0.7, 0.6)
    """
    if contest.clusters is not None and contest.decided:
        decided = contest.clusters.of_decided()
        scores = ScoreCounts((contest.a, contest.b))
        return _interval_of(contest._replace(scores=scores, clusters=decided), settings)
    if settings.anytime and contest.decided:
        return win_rate_anytime(ScoreCounts((contest.a, contest.b)), settings.level)
    return wilson(contest.b, contest.decided, settings.level)


def p_value_of(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> float:
    """The p-value of no difference, from the decided rows; of prompts where these repeat.

    >>> contest = Contest(a=2, b=8, rows=10, scores=ScoreCounts((2, 0, 0, 0, 8)))
    >>> round(p_value_of(contest), 4)
    0.1094
    """
    return min(1.0, settings.looks * _single_p_value(contest, settings))


def _single_p_value(contest: Contest, settings: StatisticsSettings) -> float:
    if contest.clusters is not None:
        if settings.anytime:
            return anytime_p_value(*leading_prompts(contest.clusters))
        return cluster_p_value(contest.clusters)
    return (anytime_p_value if settings.anytime else sign_test)(contest.a, contest.b)


def name_of_test(contest: Contest, settings: StatisticsSettings) -> str:
    """The name of the test behind `p_value_of`."""
    if settings.anytime:
        return ANYTIME_TEST
    return EXACT_TEST if contest.clusters is None else PROMPTS_TEST


def equivalence_of(
    contest: Contest, settings: StatisticsSettings = DEFAULTS
) -> Interval | Unscored:
    """The win rate with the bounds of two one-sided tests, each at the level.

    >>> contest = Contest(a=50, b=50, rows=400, scores=ScoreCounts((50, 0, 300, 0, 50)))
    >>> found = equivalence_of(contest)
    >>> round(found.low, 3), round(found.high, 3)
    (0.478, 0.522)
    """
    if not contest.scores.rows:
        return Unscored("no row was judged")
    if settings.anytime:
        return win_rate_of(contest, settings)
    if contest.clusters is not None:
        level, estimate = settings.level, contest.scores.mean
        low = 1.0 - cluster_upper_bound(contest.clusters.mirrored(), level)
        high = cluster_upper_bound(contest.clusters, level)
        interval = Interval(
            estimate, min(low, estimate), max(high, estimate), 2.0 * level - 1.0, ONE_SIDED
        )
    else:
        interval = equivalence_interval(contest.scores, settings.level)
    return Interval(
        interval.estimate,
        max(0.0, interval.low + contest.reach.low),
        min(1.0, interval.high + contest.reach.high),
        interval.level,
        interval.method,
    )


def decision_of(
    contest: Contest, settings: StatisticsSettings = DEFAULTS, p_value: float | None = None
) -> Word:
    """Decide who is better, by the one rule (`decision.py`); equivalence goes before a difference.

    `p_value` is the test's after a correction for other tests beside it.

    >>> contest = Contest(a=10, b=30, rows=40, scores=ScoreCounts((10, 0, 0, 0, 30)))
    >>> decision_of(contest).value
    'B better'
    """
    rate = win_rate_of(contest, settings)
    if settings.blocked_by or isinstance(rate, Unscored):
        return Word.INCONCLUSIVE
    lost = contest.lost.bounds if contest.lost else None
    if settings.equivalence_margin is not None:
        inner = equivalence_of(contest, settings)
        if isinstance(inner, Interval) and equivalent(inner, settings.equivalence_margin, lost):
            return Word.EQUIVALENT
    tested = p_value_of(contest, settings) if p_value is None else p_value
    side = contest.b - contest.a
    word = decide(tested, rate, level=settings.level, lost=lost)
    named = {Word.B_BETTER: 1, Word.A_BETTER: -1}.get(word, 0)
    return word if named * side > 0 else Word.INCONCLUSIVE


def standard_error_of(contest: Contest) -> float | None:
    """The standard error of the win rate, clustered by prompt where prompts repeat.

    >>> contest = Contest(a=50, b=50, rows=100, scores=ScoreCounts((50, 0, 0, 0, 50)))
    >>> round(standard_error_of(contest), 4)
    0.0503
    """
    if contest.clusters is not None:
        return standard_error_of_clusters(contest.clusters)
    return standard_error(contest.scores) if contest.estimate is None else contest.error


def _interval_of(contest: Contest, settings: StatisticsSettings) -> Interval | Unscored:
    scores, clusters, level = contest.scores, contest.clusters, settings.level
    if clusters is None or not scores.rows:
        return (win_rate_anytime if settings.anytime else score_interval)(scores, level)
    if settings.anytime:
        return prompts_anytime(clusters, level)
    low, high = cluster_bounds(clusters, level)
    return Interval(scores.mean, min(low, scores.mean), max(high, scores.mean), level, METHOD)


def _error_of(values: list[float]) -> float | None:
    rows = len(values)
    if rows < 2:
        return None
    mean = math.fsum(values) / rows
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (rows - 1) / rows)
