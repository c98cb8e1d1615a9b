"""The index: a small file of headlines for each run, so that hundreds are listed in a second."""

from collections.abc import Iterable

import msgspec

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import headline
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.preflight.expected_usage import JudgedBefore
from nova_judge.recipe.trigger import Trigger
from nova_judge.records import CANDIDATES
from nova_judge.runs.execution_error import Refusal
from nova_judge.runs.run import Run
from nova_judge.runs.usage import Bill

RUNNING, REPORTED, FAILED = "RUNNING", "REPORTED", "FAILED"
"""States of a run, as the runs table spells them."""


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run in the index. Times are ISO 8601 in UTC, costs US dollars; what is not known is None.

    `rows`: lines of the input; before the run has read them, those that its head lets expect.
    `win_rate` of B: the estimate and the ends of its interval.
    """

    run_id: str
    status: str
    execution: str = ""
    created: str = ""
    ended: str | None = None
    recipe: str = ""
    kind: str = ""
    input: str = ""
    candidates: dict[str, str] = {}
    judge: str = ""
    stand_in: str | None = None
    rows: int | None = None
    judged: int | None = None
    headline: str = ""
    verdict: str | None = None
    win_rate: tuple[float, float, float] | None = None
    estimate_usd: float | None = None
    actual_usd: float | None = None
    estimate_parts: dict[str, float] = {}
    actual_parts: dict[str, float] = {}
    judge_jobs: int = 0
    judge_seconds: float | None = None
    error: str = ""
    cause: str = ""
    report: str = ""
    code_version: str = ""
    trigger: Trigger | None = None


def entry_of_run(run: Run) -> IndexEntry:
    """A run that begins."""
    kind = kind_of(run.recipe.kind)
    compared = [c for c in CANDIDATES if getattr(run.sources, c) != "unused"]
    forecast = run.estimate
    return IndexEntry(
        run_id=run.run_id,
        status=RUNNING,
        execution=run.execution,
        created=run.created,
        recipe=run.recipe.name,
        kind=run.recipe.kind,
        input=run.input.uri,
        candidates={c: run.candidate_label(c) for c in compared} if kind.generates else {},
        judge=kind.judged_by(run.recipe).model,
        stand_in=run.stand_ins.judge,
        rows=forecast.workload.rows if forecast else None,
        estimate_usd=forecast.likely.usd if forecast else None,
        estimate_parts=by_part(forecast.likely) if forecast else {},
        code_version=run.code_version,
        trigger=run.trigger,
    )


def by_part(bill: Bill) -> dict[str, float]:
    """Sums of a bill by part: judge, endpoint, Bedrock, Step Functions, Lambda."""
    sums: dict[str, float] = {}
    for line in bill.lines:
        if line.usd is not None:
            sums[line.part] = sums.get(line.part, 0.0) + line.usd
    return sums


def _judge_seconds(bill: Bill) -> float | None:
    hours = [line.quantity for line in bill.lines if line.part == "judge"]
    return 3600 * sum(hours) if hours else None


def judged_before(entries: Iterable[IndexEntry], judge: str) -> list[JudgedBefore]:
    """What tells how fast a judge is: the runs that it judged on instances, to their end."""
    return [
        JudgedBefore(entry.judged, entry.judge_jobs, entry.judge_seconds)
        for entry in entries
        if entry.judge == judge and entry.judged and entry.judge_seconds and entry.judge_jobs
    ]


def entry_of_report(
    run: Run, metrics: Metrics, report: str, *, ended: str, error: str = ""
) -> IndexEntry:
    """A run that ended, with its report or with one that says why there is none."""
    stated = headline(metrics)
    rate, cost = metrics.win_rate, metrics.cost
    bill = cost.actual if cost else None
    return msgspec.structs.replace(
        entry_of_run(run),
        status=REPORTED if metrics.completed else FAILED,
        ended=ended,
        judge=metrics.judge.model,
        stand_in=metrics.judge.stand_in,
        rows=metrics.rows.input or None,
        judged=metrics.rows.judged,
        headline=str(stated) if metrics.completed else "",
        verdict=metrics.verdict.word if metrics.verdict else None,
        win_rate=(rate.estimate, rate.low, rate.high) if rate else None,
        actual_usd=bill.usd if bill else None,
        actual_parts=by_part(bill) if bill else {},
        judge_jobs=len(metrics.judge.jobs),
        judge_seconds=_judge_seconds(bill) if bill else None,
        error=error,
        cause=metrics.failure.reason if metrics.failure else "",
        report=report,
    )


def entry_of_refusal(refused: Refusal, report: str, *, ended: str) -> IndexEntry:
    """A wish that failed before it was a run."""
    return IndexEntry(
        run_id=refused.run_id,
        status=FAILED,
        execution=refused.execution,
        created=ended,
        ended=ended,
        recipe=refused.recipe,
        input=refused.input,
        error=refused.error,
        cause=refused.cause,
        report=report,
        trigger=refused.trigger if isinstance(refused.trigger, Trigger) else None,
    )
