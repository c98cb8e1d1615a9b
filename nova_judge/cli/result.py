"""The result of a run, alike from every command that ends with one: printed, as JSON, as files."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape

from nova_judge.cli.terminal import Console, bare_table
from nova_judge.findings.metrics_record import storable_metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.sentences import headline
from nova_judge.findings.sentences_stand_in import caveats
from nova_judge.parquet import has_rows
from nova_judge.records import CANDIDATES
from nova_judge.report.key_figures import table_rows
from nova_judge.report.report_rows import rejected_lines, rows_of_report
from nova_judge.text import one_line

_MOST_REASONS = 3


def result_document(report: SavedReport, page: Path | None) -> dict[str, object]:
    """The result of a run for programs: what commands that end with one print with `--json`."""
    stated, metrics = headline(report.metrics), storable_metrics(report.metrics)
    return {
        "run_id": metrics.run_id,
        "status": metrics.status,
        "words": stated.words,
        "evidence": stated.evidence,
        "caveats": [str(caveat) for caveat in caveats(metrics)],
        "page": None if page is None else str(page),
        "metrics": metrics,
    }


def print_result(console: Console, report: SavedReport, page: Path | None) -> None:
    """Verdict, evidence, who stood in, the key figures, why rows failed, and where the page is."""
    verdict = headline(report.metrics)
    console.print(f"[bold]{escape(one_line(verdict.words, 300))}[/]")
    console.print(escape(one_line(verdict.evidence, 2000)))
    for caveat in caveats(report.metrics):
        console.print(escape(one_line(str(caveat), 400)), style="yellow")
    names = {side: report.metrics.name(side) for side in CANDIDATES}
    rows = [(str(side), one_line(name, 80)) for side, name in names.items() if name]
    for one in report.metrics.tournament.board.standings if report.metrics.tournament else ():
        rank = str(one.rank) if one.rank else f"{one.best_rank}-{one.worst_rank}"
        ends = f"{one.strength:+.2f}  [{one.low:+.2f}, {one.high:+.2f}]"
        rows.append((f"{rank}  {one_line(one.name, 60)}", ends))
    rows += ((name.strip(), value) for name, value in table_rows(report.metrics))
    console.print(bare_table((), rows))
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


@contextmanager
def drawing() -> Iterator[None]:
    """A while in which Matplotlib, which only drawing needs, keeps its cache out of the home."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("MPLCONFIGDIR", scratch)
        yield


def write_files(report: SavedReport, out: Path) -> Path:
    """Write the files of a report, figures and all, into a folder, from its rows; give the page."""
    with drawing():
        from nova_judge.report.write import write_report  # noqa: PLC0415 (matplotlib)

        rows, rejected = rows_of_report(report, out), rejected_lines(report.folder)
        return write_report(out, report.metrics, rows, rejected)
