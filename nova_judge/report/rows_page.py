"""All rows of one run, page by page from its Parquet file, for the server on this machine."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.errors import RequestError
from nova_judge.findings.judgment_query import JudgmentQuery, RowsWanted
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.sentences import headline
from nova_judge.pairs.criteria import default_groups
from nova_judge.report.page import ROW_SCRIPTS, asset, environment
from nova_judge.report.page_rows import page_row

_MOST_OPEN = 8


class _Open(NamedTuple):
    changed: int
    query: JudgmentQuery


class RowPages:
    """The rows of the runs that were asked for last; their files stay open."""

    def __init__(self) -> None:
        self._open: dict[Path, _Open] = {}
        self._lock = threading.Lock()

    def answer(self, report: SavedReport, asked: Mapping[str, str]) -> bytes:
        """JSON: the facets where they are asked for, else rows, how many match, and all there are.

        Raises RequestError for what is no question, SavedReportError where there are no rows.
        """
        with self._lock:
            query = self._query_of(report.stored_judgments())
            if "facets" in asked:
                return msgspec.json.encode(query.facets())
            found = query.find(_wanted(asked))
        rows = [page_row(row).shown for row in found.rows]
        return msgspec.json.encode({"rows": rows, "found": found.found, "all": found.all})

    def _query_of(self, path: Path) -> JudgmentQuery:
        changed = path.stat().st_mtime_ns
        if (there := self._open.get(path)) and there.changed == changed:
            return there.query
        while len(self._open) >= _MOST_OPEN:
            self._open.pop(next(iter(self._open))).query.close()
        self._open[path] = _Open(changed, JudgmentQuery(path, default_groups()))
        return self._open[path].query


def render_rows_page(metrics: Metrics) -> str:
    """The page that asks this server for the rows of a run."""
    template = environment().get_template("rows_page.html.j2")
    return template.render(
        metrics=metrics,
        headline=headline(metrics),
        style=asset("report.css"),
        script=asset(*ROW_SCRIPTS, "start_rows.js"),
    )


def _wanted(asked: Mapping[str, str]) -> RowsWanted:
    try:
        return msgspec.convert(dict(asked), RowsWanted, strict=False)
    except msgspec.ValidationError as error:
        raise RequestError(f"no question of rows: {error}") from error
