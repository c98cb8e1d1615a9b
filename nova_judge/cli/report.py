"""`nova-judge report`: the result of a run in the terminal, and its page."""

import os
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nova_judge.adapters.runs import open_run
from nova_judge.recipe.scoring_recipe import scores_answers
from nova_judge.report.key_figures import table_rows
from nova_judge.report.labels import one_line
from nova_judge.report.sentences import headline
from nova_judge.results.saved_report import SavedReport, open_report
from nova_judge.scoring.scores_parquet import read_scores


def command(
    run: Annotated[
        str, typer.Argument(help="A run's folder, its metrics.json, or s3://bucket/runs/<id>/.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write the report's files anew into this folder.")
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Print the result of a run and where its page is; write the page anew where it is missing.

    Examples:

      nova-judge report out/demo --open

      nova-judge report s3://my-bucket/runs/r-3f9c2a71d0e4b856/

      nova-judge report out/demo --out published/
    """
    kept = None if out else Path("out", run.rstrip("/").rpartition("/")[2])
    report = open_report(open_run(run, kept))
    page = _page(report, out)
    _print(report, page)
    if open_page and page is not None:
        webbrowser.open(page.resolve().as_uri())


def _page(report: SavedReport, out: Path | None) -> Path | None:
    there = report.folder / "report.html"
    if out is None and there.is_file():
        return there
    if out is None and not report.evidence.is_file():
        return None
    with (
        Console(stderr=True).status("Writing the report"),
        tempfile.TemporaryDirectory() as scratch,
    ):
        # Only drawing needs matplotlib, which keeps a cache in the user's home unless told where.
        os.environ.setdefault("MPLCONFIGDIR", scratch)
        from nova_judge.report.write import write_files  # noqa: PLC0415

        return write_files(out or report.folder, _files(report))


def _files(report: SavedReport) -> Iterator[tuple[str, bytes]]:
    from nova_judge.report.scores import render_score_report  # noqa: PLC0415
    from nova_judge.report.write import render_report  # noqa: PLC0415

    failed = report.metrics["status"] == "failed"
    if scores_answers(report.metrics["kind"]):
        scores = () if failed else read_scores(report.stored_evidence())
        return render_score_report(report.metrics, scores)
    return render_report(report.metrics, () if failed else report.rows())


def _print(report: SavedReport, page: Path | None) -> None:
    console = Console(highlight=False)
    told = headline(report.metrics)
    console.print(f"[bold]{escape(one_line(told.words, 300))}[/]")
    console.print(escape(one_line(told.evidence, 2000)))
    table = Table(box=None, show_header=False, pad_edge=False)
    for side in "AB":
        facts = report.metrics.get("candidates", {}).get(side)
        if facts:
            table.add_row(side, escape(one_line(str(facts["name"]), 80)))
    for name, value in table_rows(report.metrics):
        table.add_row(escape(name.strip()), escape(value))
    console.print(table)
    if page is None:
        console.print(f"No page: copy {report.evidence.name} beside metrics.json to write one.")
    else:
        console.print(f"Report: {escape(str(page))}", soft_wrap=True)
