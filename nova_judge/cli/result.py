"""The result of a run in the terminal, alike from every command that ends with one."""

from pathlib import Path

import msgspec
from rich.markup import escape
from rich.table import Table

from nova_judge.cli.terminal import Console
from nova_judge.findings.metrics_record import Metrics, storable_metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.sentences import headline
from nova_judge.findings.sentences_stand_in import caveats
from nova_judge.records import CANDIDATES
from nova_judge.report.key_figures import table_rows
from nova_judge.row_files import has_rows
from nova_judge.text import one_line

_MOST_REASONS = 3


class ResultDocument(msgspec.Struct, frozen=True):
    """Document that commands which end with a result print with `--json`."""

    run_id: str
    status: str
    words: str
    evidence: str
    caveats: tuple[str, ...]
    page: str | None
    metrics: Metrics


def result_document(report: SavedReport, page: Path | None) -> ResultDocument:
    """The result of a run for programs."""
    stated, metrics = headline(report.metrics), storable_metrics(report.metrics)
    said = tuple(str(caveat) for caveat in caveats(metrics))
    where = None if page is None else str(page)
    return ResultDocument(
        metrics.run_id, metrics.status, stated.words, stated.evidence, said, where, metrics
    )


def print_result(console: Console, report: SavedReport, page: Path | None) -> None:
    """Verdict, evidence, who stood in, the key figures, why rows failed, and where the page is."""
    verdict = headline(report.metrics)
    console.print(f"[bold]{escape(one_line(verdict.words, 300))}[/]")
    console.print(escape(one_line(verdict.evidence, 2000)))
    for caveat in caveats(report.metrics):
        console.print(escape(one_line(str(caveat), 400)), style="yellow")
    table = Table(box=None, show_header=False, pad_edge=False)
    for side in CANDIDATES:
        if name := report.metrics.name(side):
            table.add_row(side, escape(one_line(name, 80)))
    for one in report.metrics.tournament.board.standings if report.metrics.tournament else ():
        rank = str(one.rank) if one.rank else f"{one.best_rank}-{one.worst_rank}"
        ends = f"{one.strength:+.2f}  [{one.low:+.2f}, {one.high:+.2f}]"
        table.add_row(f"{rank}  {escape(one_line(one.name, 60))}", ends)
    for name, value in table_rows(report.metrics):
        table.add_row(escape(name.strip()), escape(value))
    console.print(table)
    for error in [each for each in report.metrics.errors if each.count][:_MOST_REASONS]:
        reason = one_line(f"{error.stage}: {error.reason}", 300)
        times = "once" if error.count == 1 else f"{error.count:,} times"
        console.print(f"{times}, {escape(reason)}", style="yellow")
    if page is None and report.metrics.reweighed:
        console.print("No page: name a folder with --out to write one under these weights.")
    elif page is None and has_rows(report.evidence):
        console.print("No page: `nova-judge import` keeps a report of this job, or use --out.")
    elif page is None:
        console.print(f"No page: copy {report.evidence.name} beside metrics.json to write one.")
    else:
        console.print(f"Report: {escape(str(page))}", soft_wrap=True)
