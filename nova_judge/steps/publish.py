"""Publishes what a run's jobs wrote: fetch it, read it, find what it says, write the report."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.findings.metrics import metrics_of, rows_seen, score_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.panel_findings import panel_findings
from nova_judge.findings.run_evidence import RunEvidence
from nova_judge.findings.sentences import headline, set_aside
from nova_judge.kinds.known_kinds import judged_in_parts, kind_of
from nova_judge.pairs.controls import Control, judge_control, retest
from nova_judge.pairs.judged_evidence import verdicts_row
from nova_judge.pairs.judged_rows import JudgedFiles, job_metrics, read_rows
from nova_judge.report.report_rows import ScoredAnswers
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.results_json import stand_in_of
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.usage import UNMETERED, Meter
from nova_judge.scores.found import ScoresFound
from nova_judge.statistics.contest import contest_of
from nova_judge.statistics.early_stopping import may_stop
from nova_judge.statistics.evidence import Evidence, gather
from nova_judge.statistics.panel import PanelVotes
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.steps import run_folder
from nova_judge.steps.judged_parts import (
    finished_job,
    keep_pairs,
    keep_part,
    pairs_of,
    place_rows,
    read_parts,
)
from nova_judge.steps.publish_tournament import EndedRun, publish_tournament


class Published(NamedTuple):
    """The metrics of a run, what they say in one sentence, and the URI of the page."""

    metrics: Metrics
    headline: str
    uri: str


class _Judging(NamedTuple):
    """Judging is over; `not_judged` rows are left over because those before them decided."""

    not_judged: int = 0
    anytime: bool = False
    reason: str | None = None


class JudgeFurther(NamedTuple):
    """The rows judged so far decide nothing: the judge job of this number comes next."""

    next_job: int


def publish(
    bucket: str,
    run: Run,
    summary: DatasetSummary,
    outcomes: Sequence[JobOutcome],
    meter: Meter = UNMETERED,
) -> Published | JudgeFurther:
    """Write every file of the report, or say which job is needed first.

    Raises JudgeJobError where a job's output cannot be read.
    """
    whole = EndedRun(bucket, run, summary, outcomes, meter)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if judged_in_parts(run.recipe) or run.recipe.judge.panel:
            return _publish_pairs(whole, folder)
        jobs = [finished_job(bucket, ended, folder / str(ended.number)) for ended in outcomes]
        if run.recipe.many:
            metrics, uri = publish_tournament(whole, jobs)
            return Published(metrics, str(headline(metrics)), uri)
        results = kind_of(run.recipe.kind).results(run, jobs)
        if not isinstance(results, ScoresFound):
            raise JudgeJobError(f"the jobs of {run.run_id} scored no answers")
        names = {job.planned.subject: job.planned.label for job in jobs}
        return _publish_scores(whole, results, names)


def keep_ended(bucket: str, run: Run, summary: DatasetSummary, ended: JobOutcome) -> None:
    """Keep the rows of a job as soon as it ended; those of a panel wait for its other judges."""
    judged_rows = ended.status == "Completed" and ended.number < summary.jobs
    if judged_rows and judged_in_parts(run.recipe):
        keep_part(bucket, run, ended)


def _publish_pairs(whole: EndedRun, folder: Path) -> Published | JudgeFurther:
    bucket, run, summary, outcomes, _ = whole
    judging_jobs = [ended for ended in outcomes if ended.number < summary.jobs]
    votes: PanelVotes | None = None
    parts = judging_jobs
    if run.recipe.judge.panel:
        parts = judging_jobs[:1]
        pairs = pairs_of(bucket, run, judging_jobs, folder / "panel")
        keep_pairs(bucket, run, parts[0], pairs)
        votes = pairs.panel
    for part in parts:
        keep_part(bucket, run, part)
    joined = read_parts(bucket, run, parts, folder / "parts")
    rows = joined.found.evidence.rows
    judging = _judging_of(run, summary, len(parts), joined.found.evidence)
    if isinstance(judging, JudgeFurther):
        return judging
    controls = [ended for ended in outcomes if ended.number >= summary.jobs]
    judged_controls = (
        pairs_of(bucket, run, controls, folder / "controls").controls if controls else ()
    )
    facts = whole.facts(stand_in_of(joined.results))
    facts = _with_judging(facts, judging, joined.found, judged_controls)
    metrics = metrics_of(facts, joined.found, job_metrics(joined.results))
    metrics = msgspec.structs.replace(metrics, notes=(*metrics.notes, *joined.notes))
    if votes is not None:
        tokens = [outcome.tokens or (0, 0) for outcome in outcomes]
        panel = panel_findings(votes, run.recipe, tokens, facts.statistics)
        metrics = msgspec.structs.replace(metrics, panel=panel)
    place_rows(bucket, run, parts, rows)
    uri = run_folder.store_report(bucket, metrics, joined.shown)
    return Published(metrics, str(headline(metrics)), uri)


def _judging_of(
    run: Run, summary: DatasetSummary, jobs: int, evidence: Evidence
) -> _Judging | JudgeFurther:
    """Decide whether the first `jobs` judge jobs are enough, by the evidence of their rows."""
    if run.recipe.stop is None:
        return _Judging()
    if jobs == summary.jobs:
        return _Judging(anytime=True)
    asked = run.recipe.statistics
    settings = StatisticsSettings(level=asked.level, equivalence_margin=asked.equivalence_margin)
    reason = may_stop(contest_of(evidence), settings)
    if reason is None:
        return JudgeFurther(next_job=jobs)
    most = run.recipe.judge.max_rows_per_job or summary.rows
    return _Judging(summary.rows - jobs * most, anytime=True, reason=f"Judging stopped: {reason}")


def _with_judging(
    facts: Metrics,
    judging: _Judging,
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


def _publish_scores(whole: EndedRun, scores: ScoresFound, names: dict[str, str]) -> Published:
    summary = whole.summary
    if not summary.input:  # the jobs brought the questions
        seen = rows_seen(scores)
        summary = msgspec.structs.replace(summary, input=seen, rows=seen)
    facts = whole._replace(summary=summary).facts(scores.stand_in)
    metrics = score_metrics(facts, scores, sent=summary.rows, names=names)
    uri = run_folder.store_report(whole.bucket, metrics, ScoredAnswers(scores.scores))
    words = metrics.headline.words if metrics.headline else ""
    left_out = set_aside(metrics.rows.rejected, metrics.rows.input)
    return Published(metrics, f"{words}. {left_out}" if left_out else words, uri)
