"""Pages of the server on this machine: all rows of a run, from Parquet, and two runs compared."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import NovaJudgeError, RequestError
from nova_judge.findings.checkpoint_comparison import (
    Comparison,
    compare,
    require_same_judge,
    rows_of_run,
)
from nova_judge.findings.judgment_query import JudgmentQuery, RowsWanted
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import METRICS, SavedReport
from nova_judge.pairs.criteria import default_groups
from nova_judge.parquet import changed_at
from nova_judge.report.index import place_of
from nova_judge.report.page import ROW_SCRIPTS, render
from nova_judge.report.page_rows import page_row
from nova_judge.report.report_rows import reviewed_rows
from nova_judge.review.labels import ReviewedRow

_MOST_OPEN = 8


class _Open(NamedTuple):
    changed: int
    query: JudgmentQuery
    reviewed: Mapping[int, ReviewedRow]


class RowPages:
    """The rows of the runs that were asked for last; their files stay open."""

    def __init__(self) -> None:
        self._open: dict[Path, _Open] = {}
        self._lock = threading.Lock()

    def answer(self, report: SavedReport, asked: Mapping[str, str]) -> bytes:
        """JSON: the facets where they are asked for, else rows, how many match, and all there are.

        Raises RequestError for what is not a question, SavedReportError where there are no rows.
        """
        with self._lock:
            opened = self._opened(report)
            if "facets" in asked:
                return msgspec.json.encode(opened.query.facets())
            found = opened.query.find(_wanted(asked))
        rows = [page_row(row, opened.reviewed.get(row.row.line)).shown for row in found.rows]
        return msgspec.json.encode({"rows": rows, "found": found.found, "all": found.all})

    def _opened(self, report: SavedReport) -> _Open:
        """The run's file, opened again where it or the metrics changed: a review writes these."""
        path = report.stored_judgments()
        changed = changed_at(path) + (report.folder / METRICS).stat().st_mtime_ns
        if (there := self._open.get(path)) and there.changed == changed:
            return there
        while len(self._open) >= _MOST_OPEN:
            self._open.pop(next(iter(self._open))).query.close()
        reviewed = reviewed_rows(report.folder)
        labels = {line: row.verdict for line, row in reviewed.items()}
        self._open[path] = _Open(changed, JudgmentQuery(path, default_groups(), labels), reviewed)
        return self._open[path]


def render_rows_page(metrics: Metrics) -> str:
    """The page that asks this server for the rows of a run."""
    return render("rows_page.html.j2", scripts=(*ROW_SCRIPTS, "start_rows.js"), metrics=metrics)


def _wanted(asked: Mapping[str, str]) -> RowsWanted:
    try:
        return msgspec.convert(dict(asked), RowsWanted, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(f"no question of rows: {error}") from error


def render_compare(reports: Sequence[SavedReport], folder: Path) -> str:
    """The page of two runs, the older first; where they cannot be compared it says why."""
    first, other = sorted(reports, key=lambda report: report.metrics.created)
    compared, refused = None, ""
    try:
        compared = _compared(first, other)
    except NovaJudgeError as error:
        refused = str(error)
    ends = [max(abs(one.low), abs(one.high)) for one in compared.changes] if compared else []
    return render(
        "compare.html.j2",
        first=place_of(first, folder),
        other=place_of(other, folder),
        names=[report.metrics.name("B") or "none" for report in (first, other)],
        compared=compared,
        refused=refused,
        reach=max(ends, default=1.0) or 1.0,
    )


def _compared(first: SavedReport, other: SavedReport) -> Comparison:
    require_same_judge([first, other])
    groups = default_groups()
    rows = [rows_of_run(report, groups) for report in (first, other)]
    return compare(rows[0], rows[1:], first.metrics.statistics.level)[0]
