"""Verdict of people's labels by themselves, and whether they bear the judge out.

Labels outrank the judge: where both name different sides, or the judge agrees with the labels no
more than chance would, the verdict is blocked and says so first.
"""

import math

import msgspec

from nova_judge.statistics.agreement import LabelledCounts, summed_table
from nova_judge.statistics.binomial import sign_test
from nova_judge.statistics.decision import Word, decide
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.student import student_quantile
from nova_judge.statistics.win_rate import Interval, ScoreCounts, score_interval

MIN_LABELLED = 20
ROGAN_GLADEN = "Rogan and Gladen's correction, one observation added to every rate"


class LabelFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The labelled rows by themselves.

    win_rate: of B by the labels, ties as half. word: what they decide. p_chance: of agreement with
    the judge no better than chance (one-sided exact test on rows where label and judge name a
    side), None without such rows. contradictions: why the judge's verdict is not followed.
    """

    labelled: int
    win_rate: Interval
    word: Word
    p_chance: float | None
    contradictions: tuple[str, ...]


def label_findings(
    labelled: LabelledCounts, judged: Word, level: float = 0.95
) -> LabelFindings | None:
    """The findings of labelled rows beside the judge's own decision; None without labels."""
    counts = {label: profiles.rows for label, profiles in labelled.items()}
    a, b, ties = (counts.get(label, 0) for label in (Outcome.A, Outcome.B, Outcome.TIE))
    rate = score_interval(ScoreCounts((a, ties, b)), level)
    if not isinstance(rate, Interval):
        return None
    word = decide(sign_test(a, b), rate, level=level)
    table = summed_table(labelled)
    p_chance = _p_chance(*(int(table[i, j]) for i in (0, 1) for j in (0, 1)))
    reasons = []
    sides = {Word.A_BETTER, Word.B_BETTER}
    if {word, judged} == sides:
        reasons.append(
            f"people's labels name {word.value[0]} (B on {b:,}, A on {a:,} of {a + b + ties:,} "
            f"labelled rows) and the judge {judged.value[0]}: the labels outrank it"
        )
    if a + b + ties >= MIN_LABELLED and p_chance is not None and p_chance >= 1.0 - level:
        reasons.append(
            f"the judge agrees with {a + b + ties:,} labels no more than chance would "
            f"(one-sided exact test, p = {p_chance:.3f})"
        )
    return LabelFindings(
        labelled=a + b + ties,
        win_rate=rate,
        word=word,
        p_chance=p_chance,
        contradictions=tuple(reasons),
    )


class JudgeRates(msgspec.Struct, frozen=True):
    """Rates of a judge on pairs labelled elsewhere: right of all that are better on this side."""

    right_of_a: int
    labelled_a: int
    right_of_b: int
    labelled_b: int


def rate_by_outside_labels(
    a: int, b: int, judge: JudgeRates, level: float = 0.95
) -> Interval | None:
    """The share of B among decided rows, corrected for the judge's errors (Rogan, Gladen 1978).

    (share + specificity - 1) / (sensitivity + specificity - 1), where the judge's rates come from
    labels outside of this run; the delta method at counts with one observation added to each
    rate (Lang and Reiczigel 2014). None where the judge is no better than a coin.
    """
    shares, variances = [], []
    for wins, rows in (
        (b, a + b),
        (judge.right_of_b, judge.labelled_b),
        (judge.right_of_a, judge.labelled_a),
    ):
        share = (wins + 1.0) / (rows + 2.0)
        shares.append(share)
        variances.append(share * (1.0 - share) / (rows + 2.0))
    share, sensitivity, specificity = shares
    sharpness = sensitivity + specificity - 1.0
    plain = _corrected(b, a + b, judge)
    if sharpness <= 0.0 or plain is None:
        return None
    centre = (share + specificity - 1.0) / sharpness
    slopes = (1.0, -centre, 1.0 - centre)
    variance = sum(s * s * v for s, v in zip(slopes, variances, strict=True)) / sharpness**2
    reach = student_quantile(level, max(1, min(judge.labelled_a, judge.labelled_b) - 1)) * (
        math.sqrt(variance)
    )
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Interval(plain, min(plain, low), max(plain, high), level, ROGAN_GLADEN)


def _corrected(wins: int, rows: int, judge: JudgeRates) -> float | None:
    if not rows or not judge.labelled_a or not judge.labelled_b:
        return None
    sensitivity = judge.right_of_b / judge.labelled_b
    specificity = judge.right_of_a / judge.labelled_a
    if sensitivity + specificity <= 1.0:
        return None
    rate = (wins / rows + specificity - 1.0) / (sensitivity + specificity - 1.0)
    return min(1.0, max(0.0, rate))


def _p_chance(aa: int, ab: int, ba: int, bb: int) -> float | None:
    """Fisher's exact test, one-sided: as many agreements or more, given the margins."""
    rows, of_a, named_a = aa + ab + ba + bb, aa + ab, aa + ba
    if not rows:
        return None
    most = min(of_a, named_a)
    logs = [
        _log_choose(named_a, k) + _log_choose(rows - named_a, of_a - k) for k in range(aa, most + 1)
    ]
    whole = _log_choose(rows, of_a)
    return min(1.0, math.fsum(math.exp(log - whole) for log in logs))


def _log_choose(of: int, taken: int) -> float:
    if not 0 <= taken <= of:
        return -math.inf
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)
