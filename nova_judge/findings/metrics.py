"""From the facts of a run and its judgments or scores to its `Metrics`."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nova_judge.errors import RowSumError
from nova_judge.findings.metrics_record import ErrorCount, Metrics, RunFailure
from nova_judge.findings.run_evidence import RunEvidence, evidence_of
from nova_judge.pairs.controls import asked_again, blocked_by, noise_floor
from nova_judge.pairs.job_figures import JobFigures, ReportedFigure, job_figures
from nova_judge.records import ONE_PASS, JobMetrics, JudgedRow, Unscored
from nova_judge.scores.found import ScoresFound
from nova_judge.scores.headline import score_headline
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.findings import find
from nova_judge.statistics.positions import Positions
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.text import count_of

_OTHER_ORDER = ("judge, backward", ONE_PASS.reason)
_COMPARED = (("A", "B"), ("base", "customised"))


def compute_metrics(facts: Metrics, rows: Iterable[JudgedRow], job: JobMetrics | None) -> Metrics:
    """The metrics of a completed run that compared two candidates, in one pass over its rows.

    `facts` are its metrics without an estimate. Raises RowSumError when input rows are not the sum
    of those rejected, failed and judged.
    """
    return metrics_of(facts, evidence_of(rows), job)


def metrics_of(facts: Metrics, found: RunEvidence, job: JobMetrics | None) -> Metrics:
    """The same from the evidence of the rows, whose rubrics are handed over."""
    evidence, _, errors, rubrics, styled = found
    profiles = evidence.profiles
    basis = Basis.BOTH_ORDERS
    if 0 < errors[_OTHER_ORDER] == evidence.rows:
        basis = Basis.ONE_ORDER
        del errors[_OTHER_ORDER]
    judging = [ErrorCount(stage, why, count) for (stage, why), count in errors.items() if count]
    facts = known_metrics(facts, profiles.judged, profiles.judge_failed, judging)
    blocking = (*facts.blocked_by, *blocked_by(facts.controls))
    settings = msgspec.structs.replace(facts.statistics, blocked_by=blocking)
    estimates = estimated(evidence, settings, basis, styled)
    settings = msgspec.structs.replace(settings, blocked_by=estimates["verdict"].blocked_by)
    noise = _noise(facts, estimates["positions"])
    return msgspec.structs.replace(
        facts,
        **estimates
        | {
            "statistics": settings,
            "rubric": rubrics.metrics(settings, evidence),
            "job": job_figures(job, profiles, settings),
            "notes": (*facts.notes, *noise, *estimates["notes"]),
        },
    )


def estimated(
    evidence: Evidence,
    settings: StatisticsSettings,
    basis: Basis,
    styled: Evidence | None = None,
) -> dict[str, Any]:
    """Every estimate by its field in `Metrics`; rows with one verdict have none of two orders."""
    fields = msgspec.structs.asdict(find(evidence, settings, basis, styled)) | {"basis": basis}
    if basis is not Basis.BOTH_ORDERS:
        alone = evidence.forward_alone().profiles
        fields |= {"profiles": None, "backward": None, "both_bad": None}
        fields |= {"reconciled": alone.reconciled}
    return fields


def _noise(facts: Metrics, of_order: Positions | None) -> tuple[str, ...]:
    floor = noise_floor(facts.controls, of_order.flips if of_order else None)
    again = asked_again(facts.retest) if facts.retest else None
    return tuple(sentence for sentence in (floor, again) if sentence)


def score_metrics(
    facts: Metrics, scored: ScoresFound, *, sent: int, names: Mapping[str, str]
) -> Metrics:
    """The metrics of a completed run that scored single answers; no pair was compared.

    `sent` counts the rows that went into jobs, of which one is judged when a metric scored it;
    `names` says what each subject is called. Raises RowSumError when the rows do not add up.
    """
    table, level = scored.table, facts.statistics.level
    judged = len({score.row for score in scored.scores if not isinstance(score.result, Unscored)})
    subjects = {subject for subject, _ in table.all_keys()}
    pair = next((pair for pair in _COMPARED if subjects.issuperset(pair)), None)
    scores = table.figures(level)
    differences = () if pair is None else table.differences(*pair, level)
    reported = (
        ReportedFigure(subject=subject, metric=metric, **msgspec.structs.asdict(figure))
        for (subject, metric), figure in table.reported.items()
    )
    errors = (
        ErrorCount(f"score, {metric}", reason, count)
        for (metric, reason), count in table.reasons().items()
    )
    return msgspec.structs.replace(
        known_metrics(facts, judged, max(sent - judged, 0), errors),
        headline=score_headline(scores, differences, names),
        scores=scores,
        differences=differences,
        job=JobFigures(reported=tuple(reported)),
        notes=(*facts.notes, *scored.notes),
    )


def rows_seen(scored: ScoresFound) -> int:
    """Number of rows that the containers brought along, for runs without an input file."""
    return len({score.row for score in scored.scores})


def failed_metrics(facts: Metrics, stage: str, reason: str) -> Metrics:
    """The metrics of a run that failed at `stage`: what is known, and no estimate."""
    return msgspec.structs.replace(
        facts,
        status="failed",
        failure=RunFailure(stage, reason),
        errors=(*_most_frequent_first(facts.errors), ErrorCount(stage, reason, None)),
    )


def known_metrics(
    facts: Metrics, judged: int, judge_failed: int, judging_errors: Iterable[ErrorCount]
) -> Metrics:
    """The facts with the account of their rows, and no estimate; raises RowSumError."""
    rows = msgspec.structs.replace(facts.rows, judge_failed=judge_failed, judged=judged)
    if rows.accounted != rows.input:
        parts = msgspec.to_builtins(rows)
        listed = " + ".join(f"{count} {name}" for name, count in parts.items() if name != "input")
        raise RowSumError(
            f"run {facts.run_id}: {listed} = {count_of(rows.accounted, 'row')}, but the input has "
            f"{rows.input}: rows were lost or counted twice, so no figure is reported. "
            f"Compare rejected.jsonl, responses/ and judge/*/rows.jsonl of the run."
        )
    errors = _most_frequent_first([*facts.errors, *judging_errors])
    return msgspec.structs.replace(facts, rows=rows, errors=errors)


def _most_frequent_first(errors: Iterable[ErrorCount]) -> tuple[ErrorCount, ...]:
    return tuple(sorted(errors, key=lambda each: (-(each.count or 0), each.stage, each.reason)))
