"""`nova-judge history`: runs over time, only where they may be compared."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from nova_judge.cli.arguments import AsJson, RunsFolder
from nova_judge.cli.result import result_document
from nova_judge.cli.terminal import Console, print_json, right, table
from nova_judge.errors import SavedReportError
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import SavedReport, find_reports
from nova_judge.findings.sentences import headline, short_interval
from nova_judge.findings.trends import Refused, Series, group, trend
from nova_judge.report.index import render_index
from nova_judge.steps.import_job import report_at
from nova_judge.text import one_line


def command(
    folder: RunsFolder = Path("out"),
    like: Annotated[
        str | None,
        typer.Option(
            help="Only runs that may be compared with this one (s3:// too), and why others not."
        ),
    ] = None,
    index: Annotated[
        bool, typer.Option(help="Write index.html into the folder, with trends and links.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """List the runs below a folder and how the win rate of B moved.

    Runs stand in one trend only where kind, recipe, data, judge, baseline A and settings agree.

    Examples:

      nova-judge history out

      nova-judge history out --like out/demo
    """
    reports = list(find_reports(folder))
    if not reports:
        raise SavedReportError(
            f"{folder} holds no report yet: run `make demo`, or name the folder with your runs."
        )
    refused: list[Refused] = []
    if like is None:
        series = group(reports)
    else:
        together, refused = trend(report_at(like), reports)
        series = [together]
    console = Console(stderr=as_json)
    if as_json:
        print_json(_document(series, refused))
    for one in () if as_json else series:
        console.print(_table(one))
    for report, reason in refused:
        console.print(f"[yellow]left out[/] {escape(report.metrics.run_id)}: {escape(reason)}")
    if index:
        page = folder / "index.html"
        page.write_text(render_index(series, folder, refused), encoding="utf-8")
        console.print(f"Index: {escape(str(page))}", soft_wrap=True)


def _document(series: list[Series], refused: list[Refused]) -> dict[str, object]:
    runs = [
        [result_document(report, report.folder / "report.html") for report in one] for one in series
    ]
    left_out = [{"run_id": one.report.metrics.run_id, "reason": one.difference} for one in refused]
    return {"series": runs, "left_out": left_out}


def _table(series: Series) -> Table:
    facts = series[0].metrics
    title = f"{facts.recipe.name} · {facts.judge.model} · {facts.input.uri}"
    columns = ("created", "run", "candidate B", "verdict", *right("win rate of B"))
    shown = escape(one_line(title, 160))
    return table(columns, map(_cells, series), title=shown, title_justify="left")


def _cells(report: SavedReport) -> tuple[str, ...]:
    metrics = report.metrics
    return (
        metrics.created,
        metrics.run_id,
        _candidate(metrics),
        one_line(headline(metrics).words, 80),
        short_interval(metrics.win_rate) if metrics.win_rate else "",
    )


def _candidate(metrics: Metrics) -> str:
    if metrics.tournament:
        return f"{len(metrics.tournament.candidates)} candidates"
    name = metrics.name("B")
    return "" if name is None else one_line(name, 60)
