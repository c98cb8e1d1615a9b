"""`nova-judge audit`: recompute every figure of a run, or of a job that somebody else ran."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Column

from nova_judge.aws.fetched_runs import open_run
from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import JudgeJobError
from nova_judge.findings.audited_figures import Audit, audit_job, audit_report, audit_reweighed
from nova_judge.findings.saved_report import METRICS, SavedReport, find_metrics, open_report
from nova_judge.pairs.judge_output import read_judgments
from nova_judge.review.labels import LabelFolder, label_folder, read_review
from nova_judge.review.reviewed import evidence_of, review_findings
from nova_judge.runs.archive import is_archive, read_archive
from nova_judge.runs.results_json import read_job_metrics
from nova_judge.scratch import scratch_folder
from nova_judge.text import count_of, one_line

DIFFERS = 1
_SHOWN = 50
_MOST_FILES = 20_000


def command(
    source: Annotated[
        str,
        typer.Argument(help="A run, the output folder of a judge job, or its output.tar.gz."),
    ],
    as_json: AsJson = False,
) -> None:
    """Recompute every figure from the rows and list each that does not hold.

    Works on our runs and on jobs that were started in another way, from a notebook for example.
    Exit codes: 0 every figure holds, 1 some do not, 3 could not be read.

    Examples:

      nova-judge audit out/demo

      nova-judge audit s3://bucket/runs/<id>/

      nova-judge audit output.tar.gz
    """
    with Console(stderr=True).status("Reading and recomputing"):
        audit = _audit(open_run(source))
    if as_json:
        print_json(audit)
    else:
        _print(audit)
    raise typer.Exit(DIFFERS if audit.findings else 0)


def _audit(source: Path) -> Audit:
    if source.is_file() and is_archive(source):
        with scratch_folder() as folder:
            files = read_archive(source, folder)
            return _job(files.only_details() if files.details else None, files.only_results())
    if source.name == METRICS or (source.is_dir() and next(find_metrics(source), None)):
        return _audit_report(open_report(source))
    if source.is_file() and source.suffix == ".json":
        return _job(None, source)
    if source.is_file() and source.suffix == ".parquet":
        return _job(source, None)
    return _job(_one(source, "details_*.parquet"), _one(source, "results_*.json"))


def _audit_report(report: SavedReport) -> Audit:
    written = msgspec.json.decode((report.folder / METRICS).read_bytes())
    if report.metrics.reweighed:
        return audit_reweighed(report, written)
    review = read_review(LabelFolder(label_folder(report.folder)))
    if report.metrics.review is not None and review is not None:
        found = review_findings(report.rows(), review, report.metrics.statistics.level)
        return audit_report(report.metrics, report.rows(), evidence_of(review), found, written)
    return audit_report(report.metrics, report.rows(), written=written)


def _job(details: Path | None, results: Path | None) -> Audit:
    notes: Counter[str] = Counter()
    judgments = list(read_judgments(details, notes)) if details else None
    return audit_job(read_job_metrics(results) if results else None, judgments, notes)


def _one(folder: Path, pattern: str) -> Path | None:
    files = [path for path, _ in zip(folder.rglob(pattern), range(_MOST_FILES), strict=False)]
    if len(files) > 1:
        raise JudgeJobError(
            f"{folder} holds {count_of(len(files), 'file')} {pattern}: name the folder of one "
            "job, or a file."
        )
    if not files and pattern.startswith("results"):
        raise JudgeJobError(
            f"{folder} holds neither metrics.json nor results_*.json: name a run, the folder of a "
            "judge job's output, or its output.tar.gz."
        )
    return files[0] if files else None


def _print(audit: Audit) -> None:
    console = Console()
    console.print(f"{audit.checked:,} figures checked against {count_of(audit.rows, 'row')}.")
    if not audit.findings:
        console.print("[green]Every figure holds.[/]")
        return
    columns = (Column(name, overflow="fold") for name in ("", "figure", "stated", "recomputed"))
    rows = ((one.kind, one.where, one.stated, one.recomputed) for one in audit.findings[:_SHOWN])
    console.print(table(columns, ([one_line(text, 300) for text in row] for row in rows)))
    if len(audit.findings) > _SHOWN:
        console.print(f"and {len(audit.findings) - _SHOWN:,} more; --json lists all.")
