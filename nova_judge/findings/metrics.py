"""From the facts of a run and its judgments or scores to its `Metrics`."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nova_judge.errors import RowSumError
from nova_judge.findings.metrics_record import (
    CandidateFacts,
    ErrorCount,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    Rows,
    RunFailure,
)
from nova_judge.findings.run_evidence import RunEvidence, evidence_of
from nova_judge.pairs.controls import ControlFinding, Retest, asked_again, blocked_by, noise_floor
from nova_judge.pairs.job_figures import JobFigures, ReportedFigure, job_figures
from nova_judge.preflight.pricing import Cost
from nova_judge.records import ONE_PASS, Candidate, JobMetrics, JudgedRow, Unscored
from nova_judge.runs.row_accounting import ReasonCount
from nova_judge.scores.found import ScoresFound
from nova_judge.scores.headline import score_headline
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.findings import find
from nova_judge.statistics.positions import Positions
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.text import count_of

_OTHER_ORDER = ("judge, backward", ONE_PASS.reason)
_COMPARED = (("A", "B"), ("base", "customised"))


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a run beside its judgments. `created` is ISO 8601 in UTC.

    The counts are of rows; of the reasons, only the most frequent need be given. `input_rows`
    counts the lines of the input that are not blank. A finding among `controls` that blocks the
    verdict does so. `not_judged`: rows left over when judging stopped early.
    """

    run_id: str
    kind: str
    created: str
    input: InputFacts
    input_rows: int
    recipe: RecipeFacts
    candidates: dict[Candidate, CandidateFacts]
    judge: JudgeFacts
    rejected: int = 0
    rejected_reasons: tuple[ReasonCount, ...] = ()
    generation_failed: int = 0
    generation_reasons: tuple[ReasonCount, ...] = ()
    not_judged: int = 0
    cached: int = 0
    cost: Cost | None = None
    settings: StatisticsSettings = DEFAULTS
    controls: tuple[ControlFinding, ...] = ()
    retest: Retest | None = None
    notes: tuple[str, ...] = ()


def compute_metrics(run: RunFacts, rows: Iterable[JudgedRow], job: JobMetrics | None) -> Metrics:
    """The metrics of a completed run that compared two candidates, in one pass over its rows.

    Raises RowSumError when input rows are not the sum of those rejected, failed and judged.
    """
    return metrics_of(run, evidence_of(rows), job)


def metrics_of(run: RunFacts, found: RunEvidence, job: JobMetrics | None) -> Metrics:
    """The same from the evidence of the rows, whose rubrics are handed over."""
    evidence, _, errors, rubrics, styled = found
    profiles = evidence.profiles
    basis = Basis.BOTH_ORDERS
    if 0 < errors[_OTHER_ORDER] == evidence.rows:
        basis = Basis.ONE_ORDER
        del errors[_OTHER_ORDER]
    judging = [ErrorCount(stage, why, count) for (stage, why), count in errors.items() if count]
    facts = known_metrics(run, profiles.judged, profiles.judge_failed, judging)
    blocking = (*run.settings.blocked_by, *blocked_by(run.controls))
    settings = msgspec.structs.replace(run.settings, blocked_by=blocking)
    estimates = estimated(evidence, settings, basis, styled)
    settings = msgspec.structs.replace(settings, blocked_by=estimates["verdict"].blocked_by)
    noise = _noise(run, estimates["positions"])
    return msgspec.structs.replace(
        facts,
        **estimates
        | {
            "statistics": settings,
            "controls": run.controls,
            "retest": run.retest,
            "rubric": rubrics.metrics(settings, evidence.clusters),
            "job": job_figures(job, profiles, settings),
            "notes": (*run.notes, *noise, *estimates["notes"]),
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


def _noise(run: RunFacts, of_order: Positions | None) -> tuple[str, ...]:
    floor = noise_floor(run.controls, of_order.flips if of_order else None)
    again = asked_again(run.retest) if run.retest else None
    return tuple(sentence for sentence in (floor, again) if sentence)


def score_metrics(
    facts: RunFacts, scored: ScoresFound, *, sent: int, names: Mapping[str, str]
) -> Metrics:
    """The metrics of a completed run that scored single answers; no pair was compared.

    `sent` counts the rows that went into jobs, of which one is judged when a metric scored it;
    `names` says what each subject is called. Raises RowSumError when the rows do not add up.
    """
    table, level = scored.table, facts.settings.level
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


def failed_metrics(run: RunFacts, stage: str, reason: str) -> Metrics:
    """The metrics of a run that failed at `stage`: what is known, and no estimate."""
    facts = _facts(run, Rows(**_sums(run), judge_failed=None, judged=None), ())
    return msgspec.structs.replace(
        facts,
        status="failed",
        failure=RunFailure(stage, reason),
        errors=(*facts.errors, ErrorCount(stage, reason, None)),
    )


def known_metrics(
    run: RunFacts, judged: int, judge_failed: int, judging_errors: Iterable[ErrorCount]
) -> Metrics:
    """Metrics without the estimates; raises RowSumError."""
    rows = Rows(**_sums(run), judge_failed=judge_failed, judged=judged)
    if rows.accounted != rows.input:
        parts = msgspec.to_builtins(rows)
        listed = " + ".join(f"{count} {name}" for name, count in parts.items() if name != "input")
        raise RowSumError(
            f"run {run.run_id}: {listed} = {count_of(rows.accounted, 'row')}, but the input has "
            f"{rows.input}: rows were lost or counted twice, so no figure is reported. "
            f"Compare rejected.jsonl, responses/ and judge/*/rows.jsonl of the run."
        )
    return _facts(run, rows, judging_errors)


def _facts(run: RunFacts, rows: Rows, judging_errors: Iterable[ErrorCount]) -> Metrics:
    return Metrics(
        run_id=run.run_id,
        status="completed",
        failure=None,
        kind=run.kind,
        created=run.created,
        input=run.input,
        recipe=run.recipe,
        candidates=run.candidates,
        judge=run.judge,
        statistics=run.settings,
        rows=rows,
        generation=GenerationFacts(run.generation_failed, run.generation_reasons, run.cached),
        errors=_errors(run, judging_errors),
        cost=run.cost,
        notes=run.notes,
    )


def _sums(run: RunFacts) -> dict[str, int]:
    return {
        "input": run.input_rows,
        "rejected": run.rejected,
        "generation_failed": run.generation_failed,
        "not_judged": run.not_judged,
    }


def _errors(run: RunFacts, judging: Iterable[ErrorCount]) -> tuple[ErrorCount, ...]:
    """All reasons, the most frequent first."""
    of_input = (ErrorCount("input", each.reason, each.count) for each in run.rejected_reasons)
    of_answers = (
        ErrorCount("generation", each.reason, each.count) for each in run.generation_reasons
    )
    counted = [*of_input, *of_answers, *judging]
    return tuple(sorted(counted, key=lambda each: (-(each.count or 0), each.stage, each.reason)))
