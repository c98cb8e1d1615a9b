"""Rows of a `judgments.parquet`, filtered, sorted and paged, without reading the whole file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import msgspec

from nova_judge.errors import RequestError
from nova_judge.findings.judgments import COLUMNS, asked_columns, judged_row
from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.parquet import check_expansion, connect_to, files_of, rows_of
from nova_judge.records import JudgedRow, Verdict

MOST_ROWS = 200
_CRITERIA = """'[{"name": "VARCHAR", "score_A": "DOUBLE", "score_B": "DOUBLE"}]'"""
_SEARCHED = (
    *("id", "category", "prompt", "response_A", "response_B", "reference", "forward_output"),
    *("backward_output", "overall_justification", "criteria", "rubric_error"),
)
_DIFFERS = (
    "people IS NOT NULL AND reconciled <> 'error' AND "
    "reconciled <> replace(people, 'both_bad', 'tie')"
)
_SORTS: Final = {
    "": "line",
    "margin": "abs(margin) NULLS LAST, line",
    "-margin": "abs(margin) DESC NULLS LAST, line",
    "length": "coalesce(length_A, 0) + coalesce(length_B, 0) DESC, line",
    "length-difference": "abs(coalesce(length_A, 0) - coalesce(length_B, 0)) DESC, line",
    "disagreement": f"({_DIFFERS}) DESC, line",
}


class RowsWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters as the page's address has them; empty is any. Rows from `from_`, at most `most`."""

    search: str = ""
    verdict: str = ""
    category: str = ""
    criterion: str = ""
    ahead: str = ""
    label: str = ""
    margin: float | None = None
    sort: str = ""
    view: str = ""
    line: int | None = None
    from_: int = msgspec.field(name="from", default=0)
    most: int = 50


class RowsFound(NamedTuple):
    """Rows of one page, how many match, and how many there are."""

    rows: list[JudgedRow]
    found: int
    all: int


class Facets(msgspec.Struct, frozen=True):
    """What the rows of a run can be filtered by."""

    categories: list[str]
    criteria: list[str]
    labels: bool
    margins: bool


class JudgmentQuery:
    """Questions to one file; `labels` are those of people by line, before the file's own."""

    def __init__(
        self, path: Path, groups: CriterionGroups, labels: Mapping[int, Verdict] | None = None
    ) -> None:
        self._path = path
        self._groups = groups
        self._connection = connect_to(path)
        check_expansion(self._connection, path)
        self._create_view(labels or {})
        self._names = self._criterion_names()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def facets(self) -> Facets:
        """Categories, groups of criteria, and whether there are labels and margins."""
        categories = self._values(
            "SELECT DISTINCT category FROM judged WHERE category IS NOT NULL ORDER BY 1 LIMIT 500"
        )
        counted = self._connection.execute("SELECT count(people), count(margin) FROM judged")
        labels, margins = counted.fetchall()[0]
        return Facets(categories, sorted(set(self._names.values())), labels > 0, margins > 0)

    def find(self, wanted: RowsWanted) -> RowsFound:
        """One page of the rows that match. Raises RequestError for a sort that is none."""
        if wanted.sort not in _SORTS:
            raise RequestError(f"sort is one of {', '.join(filter(None, _SORTS))}")
        where, values = self._where(wanted)
        found = self._values(f"SELECT count(*) FROM judged WHERE {where}", values)[0]  # noqa: S608
        most = max(1, min(wanted.most, MOST_ROWS))
        # First which rows, from small columns; then the texts of these rows alone.
        lines = self._values(
            f"SELECT line FROM judged WHERE {where} "  # noqa: S608 (our own words and placeholders)
            f"ORDER BY {_SORTS[wanted.sort]} LIMIT {most} OFFSET {max(0, wanted.from_)}",
            values,
        )
        rows = {row.row.line: row for row in self._rows(lines)}
        whole = self._values("SELECT count(*) FROM judged")[0]
        return RowsFound([rows[line] for line in lines], found, whole)

    def _create_view(self, labels: Mapping[int, Verdict]) -> None:
        asked = asked_columns(self._connection, self._path)
        self._connection.execute("CREATE TEMP TABLE reviewed (reviewed_line BIGINT, said VARCHAR)")
        if labels:
            pairs = [[line, verdict.value] for line, verdict in labels.items()]
            self._connection.executemany("INSERT INTO reviewed VALUES (?, ?)", pairs)
        quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files_of(self._path))
        self._connection.execute(
            f"CREATE TEMP VIEW judged AS SELECT * REPLACE (coalesce(said, label) AS label), "  # noqa: S608
            f"coalesce(said, label) AS people FROM (SELECT {asked} FROM read_parquet([{quoted}])) "
            "LEFT JOIN reviewed ON reviewed_line = line"
        )

    def _criterion_names(self) -> dict[str, str]:
        """Every name of a criterion and its group."""
        names = self._values(
            f"SELECT DISTINCT unnest(list_transform(from_json(criteria, {_CRITERIA}), "  # noqa: S608
            "lambda c: c.name)) FROM judged WHERE criteria IS NOT NULL LIMIT 20000"
        )
        return {name: self._groups.group(name) for name in names}

    def _where(self, wanted: RowsWanted) -> tuple[str, list[Any]]:
        plain = {
            "line = ?": wanted.line,
            "reconciled = ?": wanted.verdict or None,
            "category = ?": wanted.category or None,
            "abs(margin) <= ?": wanted.margin,
        }
        conditions: list[tuple[str, list[Any]]] = [("true", [])]
        conditions += [(text, [value]) for text, value in plain.items() if value is not None]
        if wanted.label:
            conditions.append(_of_label(wanted.label))
        if wanted.search:
            joined = f"concat_ws(chr(10), {', '.join(_SEARCHED)})"
            conditions.append((f"contains(lower({joined}), lower(?))", [wanted.search]))
        if wanted.criterion:
            conditions.append(self._of_criterion(wanted.criterion, wanted.ahead))
        texts, values = zip(*conditions, strict=True)
        return " AND ".join(texts), [value for held in values for value in held]

    def _of_criterion(self, group: str, ahead: str) -> tuple[str, list[Any]]:
        names = [name for name, of in self._names.items() if of == group]
        first = (
            f"list_filter(from_json(criteria, {_CRITERIA}), "
            "lambda c: list_contains(?::VARCHAR[], c.name))[1]"
        )
        sign = {"A": "> 0", "B": "< 0", "level": "= 0"}.get(ahead, "IS NOT NULL")
        return f"({first}.score_A - {first}.score_B) {sign}", [names, names]

    def _rows(self, lines: list[int]) -> Iterator[JudgedRow]:
        result = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM judged WHERE list_contains(?::BIGINT[], line)",  # noqa: S608
            [lines],
        )
        for values in rows_of(result):
            yield judged_row(values)

    def _values(self, query: str, values: list[Any] | None = None) -> list[Any]:
        result: duckdb.DuckDBPyConnection = self._connection.execute(query, values or [])
        return [value for (value,) in result.fetchall()]


def _of_label(label: str) -> tuple[str, list[Any]]:
    if label == "any":
        return "people IS NOT NULL", []
    if label == "differs":
        return _DIFFERS, []
    return "people = ?", [label]
