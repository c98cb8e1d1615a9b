"""The rows that the page itself holds: all of a small run, an even sample of a large one.

Rows are drawn by a hash of run and row, so that neither their order nor their verdict matters and
the same run always shows the same rows. Long texts are cut; both cuts are told to the reader, and
nothing is cut in `judgments.parquet`.
"""

import base64
import gzip
import hashlib
import heapq
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from nova_judge.records import Criterion, JudgedAs, JudgedRow, Rubric, Unscored
from nova_judge.statistics.outcomes import profile_of, reconcile
from nova_judge.text import storable

MOST_ROWS = 1_000
MOST_CHARACTERS = 8_000_000
MOST_CHARACTERS_A_TEXT = 20_000


class PageRow(NamedTuple):
    """One row as the page holds it, with the size of its texts in characters."""

    line: int
    size: int
    fields: dict[str, Any]


class RowSample:
    """Keeps, while rows stream by, those that the page will show."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._kept: list[tuple[int, int, PageRow]] = []
        self._size = 0
        self._limit = 1 << 64
        self.seen = 0

    def watch(self, rows: Iterable[JudgedRow]) -> Iterator[JudgedRow]:
        """Pass the rows on, keeping those with the smallest hashes that fit into a page."""
        for row in rows:
            self.seen += 1
            drawn = _draw(self._run_id, row)
            if drawn < self._limit:
                self._keep(drawn, page_row(row))
            yield row

    def rows(self) -> list[PageRow]:
        """The rows kept, in the order of the input file."""
        return sorted((row for _, _, row in self._kept), key=lambda row: row.line)

    def _keep(self, drawn: int, row: PageRow) -> None:
        heapq.heappush(self._kept, (-drawn, -row.line, row))
        self._size += row.size
        while len(self._kept) > MOST_ROWS or self._size > MOST_CHARACTERS:
            largest, _, dropped = heapq.heappop(self._kept)
            self._limit = -largest
            self._size -= dropped.size


def page_row(judged: JudgedRow) -> PageRow:
    """What the page shows of one row, its texts cut to `MOST_CHARACTERS_A_TEXT`."""
    row, judgment = judged.row, judged.judgment
    fields: dict[str, Any] = {
        "line": row.line,
        "id": _cut(row.id),
        "category": _cut(row.category),
        "label": row.label,
        "prompt": _cut(row.prompt),
        "answerA": _cut(row.response_A),
        "answerB": _cut(row.response_B),
        "reference": _cut(row.reference),
        "verdict": str(reconcile(profile_of(judgment))),
        "forward": _verdict(judgment.forward),
        "backward": _verdict(judgment.backward),
        "forwardOutput": _cut(judgment.forward_output),
        "backwardOutput": _cut(judgment.backward_output),
        **_rubric(judgment.rubric),
    }
    told = {name: value for name, value in fields.items() if value is not None}
    return PageRow(row.line, _size(told), told)


def pack(content: Any) -> str:  # noqa: ANN401  anything that JSON can hold
    """JSON, compressed, in base64: no character of a hostile text reaches the page's markup."""
    return base64.b64encode(gzip.compress(orjson.dumps(content), 9, mtime=0)).decode("ascii")


def _draw(run_id: str, row: JudgedRow) -> int:
    name = f"{run_id}\n{row.row.line}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


def _verdict(judged: JudgedAs) -> str | dict[str, str]:
    return {"unscored": judged.reason} if isinstance(judged, Unscored) else str(judged)


def _rubric(rubric: Rubric | Unscored | None) -> dict[str, Any]:
    if rubric is None:
        return {}
    if isinstance(rubric, Unscored):
        return {"rubricError": _cut(rubric.reason)}
    return {
        "overall": _cut(rubric.overall_justification) or None,
        "criteria": [_criterion(criterion) for criterion in rubric.criteria],
    }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    return {
        "name": _cut(criterion.name),
        "weight": criterion.weight,
        "type": criterion.type,
        "a": criterion.score_A,
        "b": criterion.score_B,
        "description": _cut(criterion.description),
        "whyA": _cut(criterion.justification_A),
        "whyB": _cut(criterion.justification_B),
    }


def _cut(text: str | None) -> str | None:
    if text is None:
        return None
    whole = storable(text)
    if len(whole) <= MOST_CHARACTERS_A_TEXT:
        return whole
    left = len(whole) - MOST_CHARACTERS_A_TEXT
    kept = whole[:MOST_CHARACTERS_A_TEXT]
    return f"{kept}…\n[{left:,} more characters stand in judgments.parquet]"


def _size(fields: dict[str, Any]) -> int:
    total = 0
    for value in fields.values():
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, list):
            total += sum(_size(criterion) for criterion in value)
    return total
