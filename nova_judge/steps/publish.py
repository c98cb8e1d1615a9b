"""Publishes what a run's jobs wrote: fetch it, read it, find what it says, write the report."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.errors import JudgeJobError
from nova_judge.findings.facts import run_facts
from nova_judge.findings.judging import JudgeFurther, judging_of, with_judging
from nova_judge.findings.metrics import compute_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.panel_findings import panel_findings
from nova_judge.findings.score_results import rows_seen, score_metrics
from nova_judge.findings.sentences import headline, set_aside
from nova_judge.kinds.job import FinishedJob, PlannedJob
from nova_judge.kinds.known import kind_of
from nova_judge.layout import RunLayout
from nova_judge.pairs import judged_rows
from nova_judge.pairs.judged_rows import PairsFound
from nova_judge.report.report_rows import JudgedPairs, ScoredAnswers
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.job_output import fetch
from nova_judge.runs.meter import UNMETERED, Meter
from nova_judge.runs.rows import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.scores.found import ScoresFound
from nova_judge.steps import run_folder
from nova_judge.steps.publish_tournament import publish_tournament


class Published(NamedTuple):
    """The metrics of a run, what they say in one sentence, and the URI of the page."""

    metrics: Metrics
    headline: str
    uri: str


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
    with tempfile.TemporaryDirectory() as folder:
        jobs = [_finished(bucket, ended, Path(folder, str(ended.number))) for ended in outcomes]
        if run.recipe.many:
            metrics, uri = publish_tournament(bucket, run, summary, outcomes, jobs, meter)
            return Published(metrics, str(headline(metrics)), uri)
        results = kind_of(run.recipe.kind).results(run, jobs)
        if isinstance(results, ScoresFound):
            names = {job.planned.subject: job.planned.label for job in jobs}
            return _publish_scores(bucket, run, summary, outcomes, meter, results, names)
        return _publish_pairs(bucket, run, summary, outcomes, meter, results)


def _publish_pairs(
    bucket: str,
    run: Run,
    summary: DatasetSummary,
    outcomes: Sequence[JobOutcome],
    meter: Meter,
    pairs: PairsFound,
) -> Published | JudgeFurther:
    judging = judging_of(run, summary, len(pairs.jobs), pairs.rows)
    if isinstance(judging, JudgeFurther):
        return judging
    facts = run_facts(run, summary, outcomes, judged_rows.stand_in(pairs.jobs), meter)
    facts = with_judging(facts, judging, pairs)
    disagreements: Counter[str] = Counter()
    metrics = compute_metrics(facts, pairs.rows(disagreements), judged_rows.job_metrics(pairs.jobs))
    odd = (f"{rows:,} rows: {why}" for why, rows in disagreements.most_common())
    metrics = msgspec.structs.replace(metrics, notes=(*metrics.notes, *odd))
    if pairs.panel is not None:
        tokens = [outcome.tokens or (0, 0) for outcome in outcomes]
        panel = panel_findings(pairs.panel, run.recipe, tokens, facts.settings)
        metrics = msgspec.structs.replace(metrics, panel=panel)
    uri = run_folder.store_report(bucket, metrics, JudgedPairs(pairs.rows(), run.run_id))
    return Published(metrics, str(headline(metrics)), uri)


def _publish_scores(
    bucket: str,
    run: Run,
    summary: DatasetSummary,
    outcomes: Sequence[JobOutcome],
    meter: Meter,
    scores: ScoresFound,
    names: dict[str, str],
) -> Published:
    if not summary.input:  # the jobs brought the questions
        seen = rows_seen(scores)
        summary = msgspec.structs.replace(summary, input=seen, rows=seen)
    facts = run_facts(run, summary, outcomes, scores.stand_in, meter)
    metrics = score_metrics(facts, scores, sent=summary.rows, names=names)
    uri = run_folder.store_report(bucket, metrics, ScoredAnswers(scores.scores))
    words = metrics.headline.words if metrics.headline else ""
    left_out = set_aside(metrics.rows.rejected, metrics.rows.input)
    return Published(metrics, f"{words}. {left_out}" if left_out else words, uri)


def _finished(bucket: str, outcome: JobOutcome, folder: Path) -> FinishedJob:
    layout = RunLayout(outcome.run_id)
    record = s3.read(bucket, layout.judge_job(outcome.number))
    planned = msgspec.json.decode(record, type=PlannedJob)

    def download(key: str, target: Path) -> None:
        run_folder.download(f"s3://{bucket}/{key}", target)

    # A run that was redriven or asked for again has output of earlier jobs beside this one's.
    left = f"{layout.judge_output(outcome.number)}{outcome.name}/"
    keys = list(s3.keys(bucket, left))
    if not keys:
        raise JudgeJobError(f"s3://{bucket}/{left} is empty: the job left no file to read")
    output = fetch(keys, download, folder)
    if planned.rows is None:
        return FinishedJob(planned, output)
    rows = folder / "rows.jsonl"
    download(planned.rows, rows)
    return FinishedJob(planned, output, rows)
