"""Facts that a run's written records give for its metrics."""

from collections.abc import Iterator, Sequence

import msgspec

from nova_judge.findings.metrics_record import (
    CandidateFacts,
    ErrorCount,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    Rows,
)
from nova_judge.kinds.kind import JudgedBy
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.preflight.pricing import run_cost
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import CANDIDATES
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.usage import UNMETERED, Meter
from nova_judge.sources.known_sources import asked_warnings, source_of
from nova_judge.statistics.statistics_settings import JudgeRates, StatisticsSettings
from nova_judge.text import count_of

_NO_ROWS = DatasetSummary(
    input=0,
    rejected=0,
    generation_failed=0,
    rows=0,
    jobs=0,
    cached=0,
    rejected_reasons=(),
    failed_reasons=(),
)


def run_facts(
    run: Run,
    summary: DatasetSummary | None,
    outcomes: Sequence[JobOutcome] = (),
    stand_in: str | None = None,
    meter: Meter = UNMETERED,
) -> Metrics:
    """The metrics of a run without an estimate; `summary` is None where it failed before its jobs.

    `stand_in` is what the judge's job says; a job that failed says nothing, its account does.
    """
    kind = kind_of(run.recipe.kind)
    judged_by = kind.judged_by(run.recipe)
    stand_in = stand_in or _judges_stand_in(run, judged_by)
    counted = summary or _NO_ROWS
    return Metrics(
        run_id=run.run_id,
        status="completed",
        failure=None,
        kind=run.recipe.kind,
        created=run.created,
        input=InputFacts(uri=run.input.uri, version=run.input.version, size=run.input.size),
        recipe=RecipeFacts(run.recipe.name, run.recipe_sha256),
        candidates={
            c: CandidateFacts(run.candidate_label(c), getattr(run.sources, c), stand_in_for(run, c))
            for c in CANDIDATES
            if not run.recipe.many and kind.generates and getattr(run.sources, c) != "unused"
        },
        judge=JudgeFacts(
            model=judged_by.model,
            role=judged_by.role,
            instance_type=(outcomes[0].instance_type or None) if outcomes else None,
            jobs=tuple(outcome.name for outcome in outcomes),
            stand_in=stand_in,
            prompt=str(run.recipe.judge.words) if run.recipe.judge.asked else None,
        ),
        statistics=_settings(run.recipe),
        rows=_rows(counted),
        generation=GenerationFacts(
            counted.generation_failed, counted.failed_reasons, counted.cached
        ),
        errors=tuple(_errors(counted)),
        cost=run_cost(run, summary, outcomes, meter, stand_in=stand_in is not None),
        notes=tuple(_notes(run, summary)) if summary else (),
    )


def _settings(recipe: Recipe) -> StatisticsSettings:
    asked = recipe.statistics
    rates = asked.judge_rates
    return StatisticsSettings(
        level=asked.level,
        equivalence_margin=asked.equivalence_margin,
        seed=asked.seed,
        judge_rates=JudgeRates(**msgspec.structs.asdict(rates)) if rates else None,
    )


def _rows(counted: DatasetSummary) -> Rows:
    return Rows(
        input=counted.input,
        rejected=counted.rejected,
        generation_failed=counted.generation_failed,
        judge_failed=None,
        judged=None,
    )


def _errors(counted: DatasetSummary) -> Iterator[ErrorCount]:
    for stage, reasons in (
        ("input", counted.rejected_reasons),
        ("generation", counted.failed_reasons),
    ):
        for each in reasons:
            yield ErrorCount(stage, each.reason, each.count)


def stand_in_for(run: Run, candidate: str) -> str | None:
    """Name of what answered in a candidate's place; None where the candidate itself did."""
    spec = run.recipe.candidate(candidate)
    on_aws = source_of(spec).on_aws and spec.model not in run.stand_ins.absent_for
    stands_in = candidate in run.generated() and on_aws
    return run.stand_ins.answers if stands_in else None


def _judges_stand_in(run: Run, judged_by: JudgedBy) -> str | None:
    """Name of what judges or answers in local mode in place of the one that a kind names."""
    if judged_by.asked == "on a server":
        return None
    by_job = judged_by.asked == "by job" and judged_by.role == "judge"
    return run.stand_ins.judge if by_job else run.stand_ins.answers


def _notes(run: Run, summary: DatasetSummary) -> Iterator[str]:
    yield from asked_warnings(run.recipe, run.generated())
    if run.unread:
        yield f"columns of the input that were not read: {', '.join(run.unread[:20])}"
    for field, rows in summary.lost.items():
        yield (
            f"`{field}` cannot be read on "
            f"{count_of(rows, 'row, which counts', 'rows, which count')} without it"
        )
    for candidate, answers in summary.cut_off.items():
        if answers.cut:
            yield (
                f"candidate {candidate}: {answers.cut:,} of {count_of(answers.answers, 'answer')} "
                f"({answers.cut / answers.answers:.1%}) were cut off at generation.max_tokens "
                f"{run.recipe.generation_for(candidate).max_tokens:,} or at the model's context "
                "window, and were judged as they stand; a larger max_tokens lets them end"
            )
