"""Extent of judging: all of a run, or as much as it took to decide; and its controls."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.run_evidence import RunEvidence
from nova_judge.pairs.controls import Control, judge_control, retest
from nova_judge.pairs.judged_evidence import verdicts_row
from nova_judge.pairs.judged_rows import JudgedFiles, read_rows
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.statistics.contest import contest_of
from nova_judge.statistics.early_stopping import may_stop
from nova_judge.statistics.evidence import Evidence, gather
from nova_judge.statistics.statistics_settings import StatisticsSettings


class Judging(NamedTuple):
    """Judging is over; `not_judged` rows are left over because those before them decided."""

    not_judged: int = 0
    anytime: bool = False
    reason: str | None = None


class JudgeFurther(NamedTuple):
    """The rows judged so far decide nothing: the judge job of this number comes next."""

    next_job: int


def judging_of(
    run: Run, summary: DatasetSummary, jobs: int, evidence: Evidence
) -> Judging | JudgeFurther:
    """Decide whether the first `jobs` judge jobs are enough, by the evidence of their rows."""
    if run.recipe.stop is None:
        return Judging()
    if jobs == summary.jobs:
        return Judging(anytime=True)
    asked = run.recipe.statistics
    settings = StatisticsSettings(level=asked.level, equivalence_margin=asked.equivalence_margin)
    reason = may_stop(contest_of(evidence), settings)
    if reason is None:
        return JudgeFurther(next_job=jobs)
    most = run.recipe.judge.max_rows_per_job or summary.rows
    return Judging(summary.rows - jobs * most, anytime=True, reason=f"Judging stopped: {reason}")


def with_judging(
    facts: Metrics,
    judging: Judging,
    found: RunEvidence,
    controls: Iterable[tuple[str, JudgedFiles]],
) -> Metrics:
    """The facts of a run with its early stop and with what its control rows say of the judge."""
    level = facts.statistics.level
    named = {Control(name): job for name, job in controls}
    repeated = named.pop(Control.REPEAT, None)
    findings = tuple(
        judge_control(control, gather(map(verdicts_row, read_rows(job))), level=level)
        for control, job in named.items()
    )
    again = list(read_rows(repeated)) if repeated else []
    first = found.judged({judged.row.line for judged in again}) if again else {}
    return msgspec.structs.replace(
        facts,
        rows=msgspec.structs.replace(facts.rows, not_judged=judging.not_judged),
        controls=findings,
        retest=retest(first, again, level),
        statistics=msgspec.structs.replace(facts.statistics, anytime=judging.anytime),
        notes=(*facts.notes, judging.reason) if judging.reason else facts.notes,
    )
