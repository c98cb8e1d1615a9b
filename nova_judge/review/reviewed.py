"""The metrics of a run with what people said of it: labels outrank the judge."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec
import numpy as np

from nova_judge.findings.metrics_record import Metrics, ReviewerFacts, ReviewFindings
from nova_judge.pairs.judged_evidence import cluster_of, evidence_row
from nova_judge.records import JudgedRow
from nova_judge.review.labels import Review, ReviewedRow
from nova_judge.statistics.beyond_chance import nominal_alpha
from nova_judge.statistics.corrected_win_rate import weighted_label_rate
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather
from nova_judge.statistics.findings import Estimates, find
from nova_judge.statistics.outcomes import Reconciled, outcome_of, profile_of, reconcile
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval

MOST_DIFFERING = 200
_OUTRANKED = "the win rate corrected by people's labels lies"
_AGREES = {"A": Reconciled.A, "B": Reconciled.B, "tie": Reconciled.TIE, "both_bad": Reconciled.TIE}


class _Compared(msgspec.Struct, frozen=True):
    """A labelled row that has both verdicts, and if the judge says what people say."""

    line: int
    probability: float
    cluster: int
    agrees: bool


def reviewed_metrics(metrics: Metrics, rows: Iterable[JudgedRow], review: Review) -> Metrics:
    """The metrics again with the labels of a review; what the judge said stays as it is."""
    labelled = review.rows()
    compared: list[_Compared] = []

    def read() -> Iterator[EvidenceRow]:
        for judged in rows:
            if (one := _compared(judged, labelled)) is not None:
                compared.append(one)
            yield _evidence_row(judged, labelled)

    evidence = gather(read())
    estimates = _estimates(evidence, _before_labels(metrics))
    settings = msgspec.structs.replace(metrics.statistics, blocked_by=estimates.verdict.blocked_by)
    earlier = [note for note in metrics.notes if not note.startswith("win rate corrected")]
    return msgspec.structs.replace(
        metrics,
        **msgspec.structs.asdict(estimates)
        | {
            "statistics": settings,
            "review": _findings(review, labelled, compared, settings.level),
            "notes": tuple(dict.fromkeys((*earlier, *estimates.notes))),
        },
    )


def review_findings(rows: Iterable[JudgedRow], review: Review, level: float) -> ReviewFindings:
    """What people who labelled the rows found, apart from the run's own figures."""
    labelled = review.rows()
    compared = [one for judged in rows if (one := _compared(judged, labelled)) is not None]
    return _findings(review, labelled, compared, level)


def evidence_of(review: Review) -> Callable[[JudgedRow], EvidenceRow]:
    """The evidence of a row with what people said of it."""
    return partial(_evidence_row, labelled=review.rows())


def _evidence_row(judged: JudgedRow, labelled: Mapping[int, ReviewedRow]) -> EvidenceRow:
    evidence, reviewed = evidence_row(judged), labelled.get(judged.row.line)
    if reviewed is None:
        return evidence
    return evidence._replace(label=reviewed.verdict, probability=reviewed.probability)


def _compared(judged: JudgedRow, labelled: Mapping[int, ReviewedRow]) -> _Compared | None:
    """A row that has a label and both verdicts; None for another one."""
    reviewed, verdict = labelled.get(judged.row.line), reconcile(profile_of(judged.judgment))
    if reviewed is None or verdict is Reconciled.ERROR:
        return None
    agrees = verdict is _AGREES[reviewed.verdict]
    return _Compared(judged.row.line, reviewed.probability, cluster_of(judged.row), agrees)


def _before_labels(metrics: Metrics) -> StatisticsSettings:
    """The settings without what earlier labels blocked."""
    by_labels = metrics.labels.contradictions if metrics.labels else ()
    others = tuple(
        reason
        for reason in metrics.statistics.blocked_by
        if reason not in by_labels and not reason.startswith(_OUTRANKED)
    )
    return msgspec.structs.replace(metrics.statistics, blocked_by=others)


def _estimates(evidence: Evidence, settings: StatisticsSettings) -> Estimates:
    """All estimates; where the corrected win rate names the other side, the verdict is blocked."""
    estimates = find(evidence, settings)
    corrected, word = estimates.win_rate_corrected, estimates.verdict.word
    if corrected is None:
        return estimates
    side = None
    if word is Word.B_BETTER and corrected.high < 0.5:
        side = "A"
    elif word is Word.A_BETTER and corrected.low > 0.5:
        side = "B"
    if side is None:
        return estimates
    reason = (
        f"{_OUTRANKED} on the side of {side} ({100 * corrected.low:.1f} to "
        f"{100 * corrected.high:.1f} %), and the judge names the other"
    )
    blocked = msgspec.structs.replace(settings, blocked_by=(reason, *settings.blocked_by))
    return find(evidence, blocked)


def _findings(
    review: Review, labelled: Mapping[int, ReviewedRow], compared: list[_Compared], level: float
) -> ReviewFindings:
    said = [
        [outcome_of(label.verdict) for _, label in row.said if label.verdict]
        for row in labelled.values()
    ]
    differing = [one.line for one in compared if not one.agrees]
    return ReviewFindings(
        drawn=len(review.draw.rows),
        labelled=len(labelled),
        reviewers=tuple(
            ReviewerFacts(
                name,
                sum(label.verdict is not None for label in labels.values()),
                sum(label.verdict is None for label in labels.values()),
            )
            for name, labels in sorted(review.labels.items())
        ),
        agreement=_agreement(compared, level),
        labelled_twice=sum(len(outcomes) > 1 for outcomes in said),
        alpha=nominal_alpha(said),
        differing=tuple(sorted(differing)[:MOST_DIFFERING]),
        differing_count=len(differing),
    )


def _agreement(compared: list[_Compared], level: float) -> Interval | None:
    return weighted_label_rate(
        np.array([float(one.agrees) for one in compared]),
        np.array([one.probability for one in compared]),
        np.array([one.cluster for one in compared], dtype=np.uint64),
        level,
    )
