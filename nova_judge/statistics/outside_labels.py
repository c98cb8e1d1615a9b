"""A run's win rate corrected by the errors of its judge on other pairs, whose better side is known.

(share + specificity - 1) / (sensitivity + specificity - 1), where the judge's rates come from
labels outside of this run (Rogan, Gladen 1978), with the delta method at counts with one
observation added to each rate (Lang and Reiczigel 2014).
"""

import math

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Flags, Floats, RowIndices
from nova_judge.statistics.clusters import places_of, repeats, worth_of
from nova_judge.statistics.contest import Contest
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.statistics_settings import JudgeRates
from nova_judge.statistics.win_rate import Interval

__all__ = ["judge_rates", "rate_by_outside_labels"]

METHOD = "Rogan and Gladen's correction, one observation added to every rate"


def judge_rates(evidence: Evidence) -> JudgeRates | None:
    """The judge's rates on rows that it decides and labels call better on one side.

    None where one side has no such row. Where prompts repeat, what the rows are worth. Rows that a
    review drew count one over their probability, and are worth at most Kish's number of them.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> rows = [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.A)] * 9
    >>> rows += [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.B)] * 2
    >>> rows += [EvidenceRow(Verdict.B, Verdict.B, label=Verdict.B)] * 8
    >>> judge_rates(gather(rows))
    JudgeRates(right_of_A=9.0, labelled_A=9.0, right_of_B=8.0, labelled_B=10.0)
    """
    labelled = evidence.labelled
    counts: list[float] = []
    for side in (Outcome.A, Outcome.B):
        rows = labelled.where((labelled.leads != 0) & (labelled.labels == side))
        if not rows.rows:
            return None
        right, places = rows.forward == side, places_of(rows.clusters)
        counts += (
            _right_of(right, places)
            if rows.weights is None
            else _right_of_drawn(right, places, rows.weights)
        )
    return JudgeRates(*counts)


def _right_of(right: Flags, places: RowIndices) -> tuple[float, float]:
    share, prompts = float(right.mean()), int(places.max()) + 1
    by_prompt = np.bincount(places * 2 + right, minlength=2 * prompts).reshape(prompts, 2)
    worth = worth_of(by_prompt, np.array([-share, 1.0 - share]))
    return share * worth, worth


def _right_of_drawn(right: Flags, places: RowIndices, weights: Floats) -> tuple[float, float]:
    """The weighted share times what it is worth: Kish's effective rows over the prompts' effect."""
    share = float(weights @ right / weights.sum())
    squares = float(weights @ weights)
    kish = float(weights.sum()) ** 2 / squares
    prompts = int(places.max()) + 1
    if prompts == 1:
        return share, 1.0
    of_rows = share * (1.0 - share) * squares
    if of_rows == 0.0:
        of_prompts = np.bincount(places, weights)
        worth = float(weights.sum()) ** 2 / float(of_prompts @ of_prompts)
        return share * worth, worth
    residuals = np.bincount(places, weights * (right - share))
    grown = 1.0 if prompts == len(right) else prompts / (prompts - 1)
    worth = kish / max(1.0, float(residuals @ residuals) * grown / of_rows)
    return share * worth, worth


def rate_by_outside_labels(
    contest: Contest, judge: JudgeRates, level: float = 0.95
) -> Interval | Unscored:
    """The share of B among decided rows, as labels would give it.

    >>> from nova_judge.statistics.win_rate import ScoreCounts
    >>> contest = Contest(a=40, b=60, rows=100, scores=ScoreCounts((40, 0, 0, 0, 60)))
    >>> found = rate_by_outside_labels(contest, JudgeRates(45, 50, 40, 50))
    >>> round(found.estimate, 3)
    0.714
    """
    if not contest.decided:
        return Unscored("no row names one candidate throughout")
    if not judge.labelled_A or not judge.labelled_B:
        return Unscored("the judge's rates need labels on either side")
    worth = float(contest.decided)
    if contest.clusters is not None:
        worth = repeats(contest.clusters.of_decided()).worth
    share = contest.b / contest.decided
    plain, _ = _corrected(
        share, judge.right_of_B / judge.labelled_B, judge.right_of_A / judge.labelled_A
    )
    shares, variances = [], []
    for wins, rows in (
        (share * worth, worth),
        (judge.right_of_B, judge.labelled_B),
        (judge.right_of_A, judge.labelled_A),
    ):
        added = (wins + 1.0) / (rows + 2.0)
        shares.append(added)
        variances.append(added * (1.0 - added) / (rows + 2.0))
    centre, sharpness = _corrected(*shares)
    if plain is None or centre is None:
        return Unscored("on the labelled pairs the judge is right no more often than a coin")
    slopes = (1.0, -centre, 1.0 - centre)
    variance = sum(s * s * v for s, v in zip(slopes, variances, strict=True)) / sharpness**2
    degrees = max(1.0, min(judge.labelled_A, judge.labelled_B) - 1.0)
    reach = student_quantile(level, degrees) * math.sqrt(variance)
    low, estimate, high = (min(1.0, max(0.0, x)) for x in (centre - reach, plain, centre + reach))
    return Interval(estimate, min(estimate, low), max(estimate, high), level, METHOD)


def _corrected(share: float, sensitivity: float, specificity: float) -> tuple[float | None, float]:
    """The corrected share, None for a judge that is no better than a coin, and its sharpness."""
    sharpness = sensitivity + specificity - 1.0
    return ((share + specificity - 1.0) / sharpness if sharpness > 0.0 else None), sharpness
