"""A run's folder in the data bucket, as the records that were written into it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nova_judge.aws import s3
from nova_judge.errors import InputFileError, JudgeJobError
from nova_judge.findings.metrics_record import Metrics
from nova_judge.layout import RunLayout
from nova_judge.pairs.judged_rows import PairsFound
from nova_judge.records import Rejected
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.report_rows import ReportRows, judged_pairs
from nova_judge.report.write import render_report
from nova_judge.runs.execution_error import (
    REFUSAL_DETAILS,
    REFUSAL_PAGE,
    Refusal,
    refusal_page,
)
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import is_before_redrive, started_by

_MOST_REJECTED_SHOWN = 1_000


def read_run(bucket: str, run_id: str) -> Run | None:
    """The run as it was asked for; None before it was claimed."""
    return s3.find_record(bucket, RunLayout(run_id).request, Run)


def read_summary(bucket: str, run_id: str) -> DatasetSummary | None:
    """The count of where the input's lines went; None before the judge's files were written."""
    return s3.find_record(bucket, RunLayout(run_id).dataset, DatasetSummary)


def write_outcome(bucket: str, outcome: JobOutcome) -> None:
    """Note how one judge job ended; a late event of a job before a redrive changes nothing."""
    key = RunLayout(outcome.run_id).judge_outcome(outcome.number)
    known = s3.find_record(bucket, key, JobOutcome)
    if known is None or not is_before_redrive(outcome.name, known.name):
        s3.write_record(bucket, key, outcome)


def read_outcomes(bucket: str, run: Run, summary: DatasetSummary) -> list[JobOutcome]:
    """The judge jobs of this attempt at a run that have ended, in order."""
    layout = RunLayout(run.run_id)
    keys = map(layout.judge_outcome, range(summary.all_jobs))
    ended = (s3.find_record(bucket, key, JobOutcome) for key in keys)
    return [one for one in ended if one is not None and started_by(run.execution, one.name)]


def read_rejected(bucket: str, run_id: str) -> Iterator[Rejected]:
    """The first lines that were left out, for the page."""
    try:
        item = s3.describe(bucket, RunLayout(run_id).rejected)
    except InputFileError:
        return  # the run failed before it was written
    for line in itertools.islice(s3.lines(item), _MOST_REJECTED_SHOWN):
        yield msgspec.json.decode(line, type=Rejected)


def download(bucket: str, key: str, target: Path) -> None:
    """Copy an object that a judge job left into a file of ours; raises JudgeJobError."""
    try:
        item = s3.describe(bucket, key)
    except InputFileError as error:
        why = "cannot be read: the judge job left no such file"
        raise JudgeJobError(f"s3://{bucket}/{key} {why}") from error
    with target.open("wb") as file:
        for chunk in s3.stream(item, 0):
            file.write(chunk)


def store_report(bucket: str, metrics: Metrics, evidence: ReportRows | None = None) -> str:
    """Write every file of the report; the URI of its page. A failed run has no evidence."""
    layout = RunLayout(metrics.run_id)
    rejected = read_rejected(bucket, metrics.run_id)
    for name, content in render_report(metrics, evidence, rejected):
        s3.write(bucket, layout.report_file(name), content, CONTENT_TYPES[name])
    return f"s3://{bucket}/{layout.report_file('report.html')}"


def store_pair_report(
    bucket: str, run: Run, folder: str, metrics: Metrics, pairs: PairsFound
) -> None:
    """Write the report of two of many candidates, in a folder beside that of the run."""
    layout = RunLayout(run.run_id)
    for name, content in render_report(metrics, judged_pairs(pairs.rows(), metrics.run_id)):
        s3.write(bucket, layout.report_file(f"{folder}{name}"), content, CONTENT_TYPES[name])


def publish_refusal(bucket: str, refused: Refusal) -> str | None:
    """Write the report of what was not a run yet; its URI, or None where it is there already."""
    layout = RunLayout(refused.run_id)
    if s3.read_if_exists(bucket, layout.report_file(REFUSAL_DETAILS)) is not None:
        return None
    details = msgspec.json.format(msgspec.json.encode(refused), indent=2)
    s3.write(bucket, layout.report_file(REFUSAL_DETAILS), details, "application/json")
    key = layout.report_file(REFUSAL_PAGE)
    s3.write(bucket, key, refusal_page(refused).encode(), "text/markdown; charset=utf-8")
    return f"s3://{bucket}/{key}"
