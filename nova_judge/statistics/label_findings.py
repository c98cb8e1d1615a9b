"""Verdict of people's labels by themselves, and whether they bear the judge out.

Labels outrank the judge: where both name different sides, or the judge agrees with the labels no
more than chance would, the verdict is blocked and says so first.
"""

import itertools
import math
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.statistics.agreement import summed_verdicts
from nova_judge.statistics.clusters import cluster_counts, places_of
from nova_judge.statistics.contest import Contest, decision_of, win_rate_of
from nova_judge.statistics.corrected_win_rate import MIN_LABELLED, weighted_label_rate
from nova_judge.statistics.decision import Word, decide
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval, ScoreCounts
from nova_judge.text import count_of

__all__ = ["label_findings"]


class LabelFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The labelled rows by themselves.

    win_rate: of B by the labels, ties as half, weighted where they were drawn with known
    probabilities. word: what they decide. p_chance: of agreement with the judge no better than
    chance (one-sided test on rows where label and judge name a side), None where these could not
    show it.
    contradictions: why the judge's verdict is not followed.
    """

    labelled: int
    win_rate: Interval
    word: Word
    p_chance: float | None
    contradictions: tuple[str, ...]


def label_findings(evidence: Evidence, judged: Word, level: float = 0.95) -> LabelFindings | None:
    """The findings of labelled rows beside the judge's own decision; None without labels.

    Labels with a probability are weighted, and those without one then take no part.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> rows = [EvidenceRow(Verdict.A, Verdict.A, label=Verdict.B)] * 20
    >>> found = label_findings(gather(rows), Word.A_BETTER)
    >>> found.word.value, len(found.contradictions)
    ('B better', 1)
    """
    labelled = evidence.labelled
    if not labelled.rows:
        return None
    a, b = (int((labelled.labels == side).sum()) for side in (Outcome.A, Outcome.B))
    drawn = labelled.weights is not None
    rate = _weighted(labelled, level) if drawn else _counted(labelled, a, b, level)
    if rate is None:
        return None
    p_chance = _p_chance(labelled, level)
    reasons = []
    if {rate.word, judged} == {Word.A_BETTER, Word.B_BETTER}:
        reasons.append(
            f"people's labels name {rate.word.value[0]} (B on {b:,}, A on {a:,} of "
            f"{labelled.rows:,} labelled rows) and the judge {judged.value[0]}: the labels "
            "outrank it"
        )
    if labelled.rows >= MIN_LABELLED and p_chance is not None and p_chance >= 1.0 - level:
        reasons.append(
            f"the judge agrees with {count_of(labelled.rows, 'label')} no more than chance would "
            f"(one-sided test, p = {p_chance:.3f})"
        )
    return LabelFindings(
        labelled=labelled.rows,
        win_rate=rate.interval,
        word=rate.word,
        p_chance=p_chance,
        contradictions=tuple(reasons),
    )


class _Rate(NamedTuple):
    interval: Interval
    word: Word


def _counted(labelled: Evidence, a: int, b: int, level: float) -> _Rate | None:
    """The labels as a contest of their own, decided by the one rule."""
    scores, leads = labelled.label_scores, np.sign(labelled.label_scores - 0.5).astype(np.int64)
    counts = ScoreCounts((a, labelled.rows - a - b, b))
    clusters = cluster_counts(labelled.clusters, scores, leads)
    contest = Contest(a, b, labelled.rows, counts, clusters=clusters)
    settings = StatisticsSettings(level=level)
    interval = win_rate_of(contest, settings)
    return (
        _Rate(interval, decision_of(contest, settings)) if isinstance(interval, Interval) else None
    )


def _weighted(labelled: Evidence, level: float) -> _Rate | None:
    """The labels weighted by one over their probability; the interval is the test."""
    interval = weighted_label_rate(
        labelled.label_scores, labelled.probabilities, labelled.clusters, level
    )
    return _Rate(interval, decide(0.0, interval, level=level)) if interval else None


def _p_chance(labelled: Evidence, level: float) -> float | None:
    """P of as much agreement or more by chance (Fisher's exact test, one-sided).

    Of prompts for which the labels, and the verdicts, name a side on balance. None where not even
    full agreement could be distinguished from chance, as with all labels on one side.
    """
    verdicts = summed_verdicts(labelled.forward, labelled.backward)
    named = (labelled.labels <= Outcome.B) & (verdicts <= Outcome.B)
    if not named.any():
        return None
    places = places_of(labelled.clusters[named])
    of_labels, of_judge = (
        np.sign(np.bincount(places, codes[named] - 0.5)) for codes in (labelled.labels, verdicts)
    )
    sides = itertools.product((-1, 1), repeat=2)
    counts = [int(((of_labels == label) & (of_judge == verdict)).sum()) for label, verdict in sides]
    aa, ab, ba, bb = counts
    swapped = min(ab, ba)
    least = _fisher(aa + swapped, ab - swapped, ba - swapped, bb + swapped)
    return _fisher(*counts) if least < 1.0 - level else None


def _fisher(aa: int, ab: int, ba: int, bb: int) -> float:
    """Fisher's exact test, one-sided: as many agreements or more, given the margins."""
    rows, of_a, named_a = aa + ab + ba + bb, aa + ab, aa + ba
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
