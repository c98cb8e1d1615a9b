"""Writes the report of a scoring run: fetch what its jobs left, score, render, store."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.findings.facts import run_facts
from nova_judge.findings.score_results import FinishedJob, rows_seen, score_metrics, score_run
from nova_judge.kinds.job import PlannedJob
from nova_judge.kinds.known import kind_of
from nova_judge.layout import RunLayout
from nova_judge.pairs.judge_dataset import DatasetSummary
from nova_judge.report.scores import render_score_report
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.run import Run
from nova_judge.scores.job_outputs import fetch
from nova_judge.steps import run_folder


class Published(NamedTuple):
    """The metrics of a run, and the URI of its page."""

    metrics: dict[str, Any]
    uri: str


def publish(
    bucket: str, run: Run, summary: DatasetSummary, outcomes: Sequence[JobOutcome]
) -> Published:
    """Write every file of the report. Raises JudgeJobError where a job's output cannot be read."""
    layout = RunLayout(run.run_id)
    with tempfile.TemporaryDirectory() as folder:
        jobs = [_finished(bucket, layout, o, Path(folder, str(o.number))) for o in outcomes]
        found = score_run(run.recipe, jobs)
    if not kind_of(run.recipe.kind).needs_file(run.recipe):
        seen = rows_seen(found)
        summary = msgspec.structs.replace(summary, input=seen, rows=seen)
    metrics = score_metrics(
        run_facts(run, summary, outcomes, found.stand_in),
        found,
        sent=summary.rows,
        names={job.planned.subject: job.planned.label for job in jobs},
    )
    rejected = run_folder.read_rejected(bucket, run.run_id)
    files = render_score_report(metrics, found.scores, rejected)
    return Published(metrics, run_folder.store_report(bucket, run.run_id, files))


def _finished(bucket: str, layout: RunLayout, outcome: JobOutcome, folder: Path) -> FinishedJob:
    planned = msgspec.json.decode(
        s3.read(bucket, layout.judge_job(outcome.number)), type=PlannedJob
    )

    def download(key: str, target: Path) -> None:
        run_folder.download(f"s3://{bucket}/{key}", target)

    # A run that was redriven or asked for again has output of earlier jobs beside this one's.
    keys = s3.keys(bucket, f"{layout.judge_output(outcome.number)}{outcome.name}/")
    files = fetch(keys, download, folder)
    rows = folder / "rows.jsonl"
    content = s3.read_if_exists(bucket, planned.rows) if planned.rows else None
    if content is not None:
        rows.write_bytes(content)
    return FinishedJob(planned, files, rows if content is not None else None)
