"""The verdict: one of four words, with its evidence, and the one sentence that states it.

Nothing else writes a verdict in words, so that no claim is made which the figures do not carry.
"""

import msgspec

from nova_judge.records import Unscored
from nova_judge.statistics.contest import (
    ANYTIME_TEST,
    EXACT_TEST,
    PROMPTS_TEST,
    Contest,
    decision_of,
    equivalence_of,
    name_of_test,
    p_value_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.early_stopping import RowsNeeded, detectable_rate, rows_needed
from nova_judge.statistics.evidence import Basis
from nova_judge.statistics.planning import POWER
from nova_judge.statistics.positions import LostOrders
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.win_rate import Interval

__all__ = ["state_verdict"]

SHORT_NAMES = {
    EXACT_TEST: EXACT_TEST,
    PROMPTS_TEST: "exact sign-flip test of prompts",
    ANYTIME_TEST: "anytime-valid sign test",
}


class VerdictStated(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict with its evidence. `sentence` is `words`, a colon and `evidence`.

    pairs_needed: rows that would decide at 80 % power, None where no number would or the verdict
    needs none: new rows to be evaluated alone, or further rows where judging may stop early; low
    and high are their range. could_find: the distance from 1/2 of a win rate that a run like this
    finds at 80 % power. prompts: their number, where they repeat. lost: orders without a verdict.
    """

    word: Word
    sentence: str
    words: str
    evidence: str
    p_value: float
    pairs_needed: int | None
    pairs_needed_low: int | None = None
    pairs_needed_high: int | None = None
    could_find: float | None = None
    equivalence_margin: float | None
    level: float
    test: str
    a: int
    b: int
    prompts: int | None = None
    lost: LostOrders | None = None
    blocked_by: tuple[str, ...] = ()


def state_verdict(contest: Contest, settings: StatisticsSettings = DEFAULTS) -> VerdictStated:
    """State what `decision_of` decides, with its evidence.

    >>> from nova_judge.statistics.contest import Contest
    >>> from nova_judge.statistics.win_rate import ScoreCounts
    >>> contest = Contest(a=10, b=30, rows=40, scores=ScoreCounts((10, 0, 0, 0, 30)))
    >>> stated = state_verdict(contest)
    >>> stated.word.value, round(stated.p_value, 4)
    ('B better', 0.0022)
    """
    word = decision_of(contest, settings)
    interval = (equivalence_of if word is Word.EQUIVALENT else win_rate_of)(contest, settings)
    open_yet = word is Word.INCONCLUSIVE and not settings.blocked_by
    strict = msgspec.structs.replace(settings, level=settings.strict_level)
    needed = rows_needed(contest, strict) if open_yet else None
    stated = VerdictStated(
        word=word,
        sentence="",
        words="",
        evidence="",
        p_value=p_value_of(contest, settings),
        pairs_needed=needed.rows if needed else None,
        pairs_needed_low=needed.low if needed else None,
        pairs_needed_high=needed.high if needed else None,
        could_find=detectable_rate(contest, strict),
        equivalence_margin=settings.equivalence_margin,
        level=settings.level,
        test=name_of_test(contest, settings),
        a=contest.a,
        b=contest.b,
        prompts=contest.clusters.prompts if contest.clusters else None,
        lost=contest.lost,
        blocked_by=settings.blocked_by,
    )
    words, evidence = _in_words(stated, contest, interval, settings.looks)
    further = _what_would_decide(needed, contest, settings) if open_yet and evidence else ""
    parts = (evidence, _could_find(stated.could_find) if further else "", further)
    evidence = " ".join(part for part in parts if part)
    return msgspec.structs.replace(
        stated, sentence=f"{words}: {evidence}", words=words, evidence=evidence
    )


def _in_words(
    stated: VerdictStated, contest: Contest, interval: Interval | Unscored, looks: float
) -> tuple[str, str]:
    """The verdict in a few words, and its evidence."""
    if isinstance(interval, Unscored):
        lost = f" {_lost(stated.lost)}" if stated.lost else ""
        return "Inconclusive", f"{interval.reason}.{lost}"
    evidence = f"{_counts(contest)} ({_p(stated, looks)}); {_rate(interval)}."
    if stated.lost:
        evidence = f"{evidence} {_lost(stated.lost)}"
    if contest.basis in _ONE_SIDED:
        evidence = f"{evidence} {_ONE_SIDED[contest.basis]}"
    if stated.blocked_by:
        reasons = "; ".join(stated.blocked_by)
        counted = f"{evidence[:1].upper()}{evidence[1:]}"
        return "Inconclusive, the verdict is blocked", f"{reasons}. {counted}"
    if stated.word is Word.EQUIVALENT:
        margin = f"{100 * (stated.equivalence_margin or 0):g}"
        return f"A and B are equivalent within {margin} points of win rate", evidence
    if stated.word is Word.INCONCLUSIVE:
        return "Inconclusive", evidence
    return f"{'B' if stated.word is Word.B_BETTER else 'A'} is better", evidence


ONE_ORDER = (
    "Each row was judged in one order only, so that a judge's preference for a position counts as "
    "a preference for a candidate."
)

_ONE_SIDED = {
    Basis.ONE_ORDER: ONE_ORDER,
    Basis.REWEIGHED: "Rubrics are of the order A, B alone.",
}
_NAMED_BY = {
    Basis.BOTH_ORDERS: "both orders name",
    Basis.REWEIGHED: "the reweighed rubrics name",
    Basis.JUDGMENT: "the job's judgments, each counted as a row, name",
}


def _counts(contest: Contest) -> str:
    rows = "row" if contest.rows == 1 else "rows"
    of = f"{contest.rows} {rows}"
    if contest.clusters is not None:
        prompts = contest.clusters.prompts
        of = f"{of} on {prompts} {'prompt' if prompts == 1 else 'prompts'}"
    by = _NAMED_BY.get(contest.basis, "the judge names")
    return f"{by} B on {contest.b} and A on {contest.a} of {of}"


def _p(stated: VerdictStated, looks: float) -> str:
    value = "p < .001" if stated.p_value < 0.001 else f"p = {stated.p_value:.3f}"
    corrected = " after a correction for several looks" if looks > 1 else ""
    return f"{stated.test}, {value}{corrected}"


def _rate(interval: Interval) -> str:
    ends = (interval.estimate, interval.low, interval.high)
    estimate, low, high = (f"{100 * share:.1f}" for share in ends)
    return f"win rate of B {estimate} %, {100 * interval.level:g} % interval {low} to {high} %"


def _lost(lost: LostOrders) -> str:
    parts = [
        (lost.one_order, "a verdict in one order only"),
        (lost.neither, "no verdict"),
    ]
    left_out = " and ".join(f"{count:,} with {words}" for count, words in parts if count)
    ends = f"{100 * lost.low:.1f} %, all for B {100 * lost.high:.1f} %"
    return f"Left out: {left_out}; were all lost orders for A, the win rate would be {ends}."


def _could_find(distance: float | None) -> str:
    if distance is None or distance >= 0.5:
        return "So few decided rows find no difference at all at 80 % power."
    more, less = 50 + 100 * distance, 50 - 100 * distance
    return (
        f"Rows like these find a win rate of {more:.1f} % or more ({less:.1f} % or less) at "
        f"{100 * POWER:g} % power."
    )


def _what_would_decide(
    needed: RowsNeeded | None, contest: Contest, settings: StatisticsSettings
) -> str:
    if not contest.scores.rows:
        return ""
    if needed is not None:
        most = f"{needed.high:,}" if needed.high is not None else "no number"
        kind, how = (
            ("further rows", "")
            if settings.anytime
            else ("new rows, evaluated alone,", " Adding rows to these needs --anytime.")
        )
        return (
            f"If the shares stay as they are, {needed.rows:,} {kind} would decide at "
            f"{100 * POWER:g} % power (from {needed.low:,} to {most}, as uncertain as the shares "
            f"are).{how}"
        )
    side, mean = contest.b - contest.a, contest.scores.mean
    if not side or mean == 0.5:
        return "The two are level so far, so that no number of further rows can be named."
    if side * (mean - 0.5) < 0:
        return "The test and the win rate point to different sides, so that neither is followed."
    if contest.lost is not None and contest.lost.low <= 0.5 <= contest.lost.high:
        return "The lost orders could turn the result: judge the rows again that have no verdict."
    return "At these shares, a million rows would not decide."
