"""The verdict: one of four words, with its evidence, and the one sentence that states it.

Nothing else writes a verdict in words, so that no claim is made which the figures do not carry.
"""

import enum
import math
from statistics import NormalDist

import msgspec

from nova_judge.records import Unscored
from nova_judge.statistics.binomial import sign_test
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.sequential import anytime_p_value, win_rate_anytime
from nova_judge.statistics.settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    equivalence_interval,
    score_interval,
    scores_of_profiles,
    wilson,
)

POWER = 0.8


class Word(enum.StrEnum):
    """What may be said of two candidates."""

    A_BETTER = "A better"
    B_BETTER = "B better"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


class Decided(msgspec.Struct, frozen=True):
    """Rows on which A, and on which B, was named throughout, of all rows that were judged or tried.

    `by` says for the sentence who names them.
    """

    a: int
    b: int
    rows: int
    by: str = "both orders name"

    @property
    def pairs(self) -> int:
        return self.a + self.b


class VerdictStated(msgspec.Struct, frozen=True):
    """The verdict with its evidence. `pairs_needed` counts further rows, None where unknown.

    `sentence` is `words`, a colon and `evidence`.
    """

    word: Word
    sentence: str
    words: str
    evidence: str
    p_value: float
    pairs_needed: int | None
    equivalence_margin: float | None
    level: float
    test: str
    a: int
    b: int
    blocked_by: tuple[str, ...] = ()


EXACT_TEST = "exact two-sided sign test"
ANYTIME_TEST = "anytime-valid sign test (beta mixture)"
SHORT_NAMES = {EXACT_TEST: EXACT_TEST, ANYTIME_TEST: "anytime-valid sign test"}


def decided_by_profiles(profiles: ProfileCounts) -> Decided:
    """The rows whose verdict is the same candidate in both orders."""
    tally = profiles.reconciled
    return Decided(tally.a, tally.b, profiles.rows)


def decided_by_one_order(profiles: ProfileCounts) -> Decided:
    """The rows on which the only order that was judged names a candidate."""
    return Decided(profiles.forward.a, profiles.forward.b, profiles.rows, "the judge names")


def win_rate_interval(scores: ScoreCounts, settings: StatisticsSettings) -> Interval | Unscored:
    """The win rate of B over judged rows; where judging may stop, its confidence sequence."""
    of_scores = win_rate_anytime if settings.anytime else score_interval
    return of_scores(scores, settings.level)


def win_rate_decisive(
    decided: Decided, settings: StatisticsSettings = DEFAULTS
) -> Interval | Unscored:
    """The win rate of B over decided rows, ties and inconsistent rows left out."""
    if settings.anytime and decided.pairs:
        return win_rate_anytime(ScoreCounts((decided.a, decided.b)), settings.level)
    return wilson(decided.b, decided.pairs, settings.level)


def decided_p_value(decided: Decided, settings: StatisticsSettings) -> float:
    """The p-value of the sign test on decided rows: exact, or valid however often one looked."""
    return (anytime_p_value if settings.anytime else sign_test)(decided.a, decided.b)


def verdict(profiles: ProfileCounts, settings: StatisticsSettings = DEFAULTS) -> VerdictStated:
    """The verdict on judged rows; see `state_verdict`."""
    return state_verdict(decided_by_profiles(profiles), scores_of_profiles(profiles), settings)


def state_verdict(
    decided: Decided,
    scores: ScoreCounts,
    settings: StatisticsSettings,
    rate: Interval | Unscored | None = None,
) -> VerdictStated:
    """Decide by the sign test; by the interval of the win rate where a margin is set.

    Equivalent means that the interval of two one-sided tests (`equivalence_interval`) lies within
    1/2 +- margin; it goes before a difference, which is then smaller than what matters to the user.
    A test and a win rate that point to different sides decide nothing, and neither does a judge
    that failed a control. `rate` is the win rate where it is not that of `scores`, which are
    rounded preferences.
    """
    p_value = decided_p_value(decided, settings)
    interval = win_rate_interval(scores, settings) if rate is None else rate
    significant = p_value < 1.0 - settings.level
    word = Word.INCONCLUSIVE
    if not settings.blocked_by and isinstance(interval, Interval):
        inner = _equivalence_interval(scores, settings)
        if _within_margin(inner, settings.equivalence_margin):
            word, interval = Word.EQUIVALENT, inner
        elif significant:
            word = _direction(decided, interval)
    undecided = word is Word.INCONCLUSIVE and not significant and not settings.blocked_by
    stated = VerdictStated(
        word=word,
        sentence="",
        words="",
        evidence="",
        p_value=p_value,
        pairs_needed=further_pairs(decided, settings.level) if undecided else None,
        equivalence_margin=settings.equivalence_margin,
        level=settings.level,
        test=ANYTIME_TEST if settings.anytime else EXACT_TEST,
        a=decided.a,
        b=decided.b,
        blocked_by=settings.blocked_by,
    )
    words, evidence = _in_words(stated, decided, interval)
    return msgspec.structs.replace(
        stated, sentence=f"{words}: {evidence}", words=words, evidence=evidence
    )


def decisive_pairs(share: float, level: float = 0.95, power: float = POWER) -> int | None:
    """Decided rows at which a sign test finds a true `share` of wins with `power`; None at 1/2.

    The usual normal approximation with the variance of a fair coin: (z_level + z_power)^2 / (4 d^2)
    for a distance d of the share from 1/2.
    """
    distance = abs(share - 0.5)
    if distance == 0:
        return None
    normal = NormalDist()
    z = normal.inv_cdf((1.0 + level) / 2.0) + normal.inv_cdf(power)
    return math.ceil(z * z / (4.0 * distance * distance) - 1e-9)


def further_pairs(decided: Decided, level: float = 0.95) -> int | None:
    """Further rows that would decide at 80 % power if the shares stay as seen; None at a draw."""
    if decided.a == decided.b:
        return None
    wanted = decisive_pairs(max(decided.a, decided.b) / decided.pairs, level)
    if wanted is None:
        return None
    return max(1, math.ceil(wanted * decided.rows / decided.pairs) - decided.rows)


def _equivalence_interval(scores: ScoreCounts, settings: StatisticsSettings) -> Interval | Unscored:
    bounds = win_rate_anytime if settings.anytime else equivalence_interval
    return bounds(scores, settings.level)


def _within_margin(interval: Interval | Unscored, margin: float | None) -> bool:
    if margin is None or isinstance(interval, Unscored):
        return False
    return 0.5 - margin <= interval.low and interval.high <= 0.5 + margin


def _direction(decided: Decided, interval: Interval) -> Word:
    if decided.b > decided.a and interval.estimate > 0.5:
        return Word.B_BETTER
    if decided.a > decided.b and interval.estimate < 0.5:
        return Word.A_BETTER
    return Word.INCONCLUSIVE


def _in_words(
    stated: VerdictStated, decided: Decided, interval: Interval | Unscored
) -> tuple[str, str]:
    """The verdict in a few words, and its evidence."""
    if isinstance(interval, Unscored):
        return "Inconclusive", f"{interval.reason}."
    evidence = f"{_counts(decided)} ({_p(stated)}); {_rate(interval)}."
    if stated.blocked_by:
        reasons = "; ".join(stated.blocked_by)
        return "Inconclusive, the verdict is blocked", f"{reasons}. {evidence}"
    if stated.word is Word.EQUIVALENT:
        margin = f"{100 * (stated.equivalence_margin or 0):g}"
        return f"A and B are equivalent within {margin} points of win rate", evidence
    if stated.word is Word.INCONCLUSIVE:
        return "Inconclusive", f"{evidence} {_what_would_decide(stated, decided)}"
    return f"{'B' if stated.word is Word.B_BETTER else 'A'} is better", evidence


def _counts(decided: Decided) -> str:
    rows = "row" if decided.rows == 1 else "rows"
    return f"{decided.by} B on {decided.b} and A on {decided.a} of {decided.rows} {rows}"


def _p(stated: VerdictStated) -> str:
    value = "p < .001" if stated.p_value < 0.001 else f"p = {stated.p_value:.3f}"
    return f"{stated.test}, {value}"


def _rate(interval: Interval) -> str:
    ends = (interval.estimate, interval.low, interval.high)
    estimate, low, high = (f"{100 * share:.1f}" for share in ends)
    return f"win rate of B {estimate} %, {100 * interval.level:g} % interval {low} to {high} %"


def _what_would_decide(stated: VerdictStated, decided: Decided) -> str:
    if stated.pairs_needed is not None:
        return (
            f"If the shares stay as they are, {stated.pairs_needed:,} further rows would decide "
            f"at {100 * POWER:g} % power."
        )
    if decided.a == decided.b:
        return "The two are level so far, so that no number of further rows can be named."
    return "The test and the win rate point to different sides, so that neither is followed."
