"""`nova-judge report`: the result of a run in the terminal, and its page."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from nova_judge.aws.fetched_runs import is_temporary
from nova_judge.cli.arguments import AsJson, Drop, Only, RunOrMetrics, WeightsAsked, reweighing
from nova_judge.cli.result import print_result, result_document, write_files
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import RequestError
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.saved_report import SavedReport
from nova_judge.parquet import has_rows
from nova_judge.steps.import_job import report_at


def command(
    run: RunOrMetrics,
    out: Annotated[
        Path | None, typer.Option(help="Write the report's files into this folder.")
    ] = None,
    weights: WeightsAsked = "",
    drop: Drop = "",
    only: Only = "",
    as_json: AsJson = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Print the result of a run and where its page is; write the page where it is missing.

    Examples:

      nova-judge report out/demo --open

      nova-judge report s3://my-bucket/runs/r-3f9c2a71d0e4b856/

      nova-judge report out/demo --out published/

      nova-judge report out/rubric --weights accuracy=0.6,conciseness=0.4 --out reweighed/
    """
    kept = None if out else Path("out", run.rstrip("/").rpartition("/")[2])
    saved, asked = report_at(run, kept), reweighing(weights, drop, only)
    if asked and out and out.resolve() == saved.folder.resolve():
        raise RequestError(f"{out} holds the run's own report: name another folder with --out.")
    report = reweighed_report(saved, asked)
    page = None if asked and out is None else _page(report, out)
    if as_json:
        print_json(result_document(report, page))
    else:
        print_result(Console(), report, page)
    if open_page and page is not None:
        webbrowser.open(page.resolve().as_uri())


def _page(report: SavedReport, out: Path | None) -> Path | None:
    """The page, written where it is missing; None without rows, or of what goes at the end."""
    if out is None and is_temporary(report.folder):
        return None
    there = report.folder / "report.html"
    if out is None and there.is_file():
        return there
    if out is None and report.metrics.completed and not has_rows(report.evidence):
        return None
    with Console(stderr=True).status("Writing the report"):
        return write_files(report, out or report.folder)
