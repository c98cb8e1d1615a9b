"""The metrics of a run under other weights for its criteria, so that every command can follow them.

A reweighed verdict is the verdict of one rubric, which is of the order A, B: the rows stay as the
judge left them, and every reader reweighs them in the same way.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from nova_judge.errors import WeightingError
from nova_judge.findings.metrics import estimated
from nova_judge.findings.metrics_record import ErrorCount, Metrics, Reweighing
from nova_judge.findings.rubric_findings import margin_interval, mean_interval
from nova_judge.findings.rubric_record import RubricFindings
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.criteria import CriterionGroups, default_groups
from nova_judge.pairs.criterion_weights import (
    Reweighed,
    Weighting,
    blocked_by_position,
    reweigh,
    settings_for,
    weighting,
)
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.pairs.rubric_columns import RubricColumns, columns_of_report
from nova_judge.pairs.weighted_scores import WeightedScores, recomputed_scores
from nova_judge.records import JudgedRow, Unscored
from nova_judge.statistics.arrays import Keys
from nova_judge.statistics.evidence import Basis, EvidenceRow, gather
from nova_judge.statistics.outcomes import VERDICTS, Outcome
from nova_judge.statistics.statistics_settings import StatisticsSettings

NO_WEIGHT = Unscored("no criterion of the rubric has a weight")
_STAGE = "reweighing"
_NOT_ASKED = Unscored("rubrics are of the order A, B alone")


class ChosenWeights(NamedTuple):
    """Weights that somebody chose for a run: as spelled, and as its rubrics have them.

    `settings` allow for having tried many weights, and for a judge that favours a position.
    """

    asked: Reweighing
    columns: RubricColumns
    weighting: Weighting
    settings: StatisticsSettings


class ScoredRow(NamedTuple):
    """A row with its weighted scores; None where no criterion with a weight is left."""

    judged: JudgedRow
    scores: WeightedScores | None


def choose_weights(
    report: SavedReport, asked: Reweighing | None, groups: CriterionGroups | None = None
) -> ChosenWeights | None:
    """The weights that were asked for; None for the judge's own verdicts.

    Raises WeightingError where the run has no rubrics or no such criterion, SavedReportError where
    its rows are not there.
    """
    if asked is None:
        return None
    table = groups or default_groups()
    columns = columns_of_report(report.stored_judgments(), table).columns
    if not columns.scored.any():
        raise WeightingError(
            f"{report.metrics.run_id} has no readable rubric: weights need a rubric judge."
        )
    chosen = weighting(columns, table, weights=asked.weights, drop=asked.drop, only=asked.only)
    settings = settings_for(columns, report.metrics.statistics)
    return ChosenWeights(asked, columns, chosen, blocked_by_position(columns, settings))


def scored_rows(report: SavedReport, chosen: ChosenWeights | None) -> Iterator[ScoredRow]:
    """The rows with their scores under the chosen weights; without, under the judge's own."""
    if chosen is None:
        for judged in report.rows():
            yield ScoredRow(judged, recomputed_scores(judged.judgment))
        return
    scored = reweigh(chosen.columns, chosen.weighting)
    scores = zip(scored.A.tolist(), scored.B.tolist(), scored.margins.tolist(), strict=True)
    for judged, verdict, held in zip(report.rows(), scored.verdicts, scores, strict=True):
        yield ScoredRow(judged, None if verdict == Outcome.ERROR else WeightedScores(*held))


def reweighed_report(
    report: SavedReport, asked: Reweighing | None, groups: CriterionGroups | None = None
) -> SavedReport:
    """The report with the metrics that its rows have under the weights asked for, if any are."""
    chosen = choose_weights(report, asked, groups)
    return report if chosen is None else report._replace(metrics=_reweighed(report, chosen))


def _reweighed(report: SavedReport, chosen: ChosenWeights) -> Metrics:
    metrics, scored = report.metrics, reweigh(chosen.columns, chosen.weighting)
    evidence = gather(_evidence(report.rows(), scored))
    estimates = estimated(evidence, chosen.settings, Basis.REWEIGHED)
    unscored = estimates["reconciled"].errors
    sent = (metrics.rows.judged or 0) + (metrics.rows.judge_failed or 0)
    # A row without a weighted criterion has no verdict.
    rows = msgspec.structs.replace(metrics.rows, judged=sent - unscored, judge_failed=unscored)
    settings = msgspec.structs.replace(chosen.settings, blocked_by=estimates["verdict"].blocked_by)
    return msgspec.structs.replace(
        metrics,
        **estimates
        | {
            "reweighed": chosen.asked,
            "statistics": settings,
            "rows": rows,
            "errors": _errors(metrics, unscored),
            "positions": metrics.positions,
            "rubric": metrics.rubric
            and _rubric(metrics.rubric, scored, evidence.clusters, settings.level),
            "notes": tuple(dict.fromkeys((*metrics.notes, *estimates["notes"]))),
        },
    )


def _evidence(rows: Iterator[JudgedRow], scored: Reweighed) -> Iterator[EvidenceRow]:
    verdicts, margins = scored.verdicts.tolist(), scored.margins.tolist()
    for judged, verdict, margin in zip(rows, verdicts, margins, strict=True):
        decided = VERDICTS.get(Outcome(verdict))
        yield evidence_row(judged)._replace(
            forward=decided or NO_WEIGHT,
            backward=_NOT_ASKED,
            margin=None if decided is None else margin,
        )


def _errors(metrics: Metrics, unscored: int) -> tuple[ErrorCount, ...]:
    others = tuple(error for error in metrics.errors if error.stage != _STAGE)
    return (ErrorCount(_STAGE, NO_WEIGHT.reason, unscored), *others) if unscored else others


def _rubric(
    rubric: RubricFindings, scored: Reweighed, prompts: Keys, level: float
) -> RubricFindings:
    """The mean scores under the weights; what speaks of the judge's own weights goes."""
    judged = scored.verdicts != Outcome.ERROR
    of_a, of_b, keys = scored.A[judged], scored.B[judged], prompts[judged]
    return msgspec.structs.replace(
        rubric,
        weighted_score_A=mean_interval(of_a, level, keys=keys),
        weighted_score_B=mean_interval(of_b, level, keys=keys),
        score_margin=margin_interval(of_a - of_b, level, keys),
        driver=None,
        firmness=None,
    )
