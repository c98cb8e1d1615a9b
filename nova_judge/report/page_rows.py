"""The rows that the page itself holds: all of a small run, a sample of a large one.

Rows are drawn by a hash of run and row, so that their order does not matter and the same run always
shows the same rows: evenly, and some of each verdict besides. Long texts are cut; the page states
both cuts, and nothing is cut in `judgments.parquet`.
"""

import base64
import gzip
import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Criterion, JudgedAs, JudgedRow, Rubric, Unscored, Verdict
from nova_judge.review.labels import ReviewedRow
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile
from nova_judge.text import storable

MOST_ROWS = 1_000
LEAST_ROWS_A_VERDICT = 40
MOST_CHARACTERS = 8_000_000
MOST_CHARACTERS_A_TEXT = 20_000


class ShownReason(msgspec.Struct, frozen=True):
    """Reason why an order gave no verdict."""

    unscored: str


class ShownCriterion(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One criterion of a rubric, as the page's script reads it."""

    name: str
    weight: float
    type: str
    a: float
    b: float
    description: str | None = None
    why_a: str | None = None
    why_b: str | None = None


class ShownReview(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one reviewer said of a row."""

    by: str
    verdict: Verdict
    note: str = ""


class ShownRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One row, as the page's script reads it; what a row does not have is left out."""

    line: int
    id: str
    category: str | None = None
    label: Verdict | None = None
    prompt: str
    answer_a: str | None = None
    answer_b: str | None = None
    reference: str | None = None
    verdict: Reconciled
    forward: Verdict | ShownReason
    backward: Verdict | ShownReason
    forward_output: str | None = None
    backward_output: str | None = None
    rubric_error: str | None = None
    overall: str | None = None
    margin: float | None = None
    criteria: tuple[ShownCriterion, ...] = ()
    reviews: tuple[ShownReview, ...] = ()


class PageRow(NamedTuple):
    """One row as the page holds it, with the size of its texts in characters."""

    line: int
    size: int
    shown: ShownRow


class KeptRows(msgspec.Struct, frozen=True):
    """A sample of the rows of one part: those kept evenly and of each verdict, with their hashes.

    `seen` counts the rows that it was drawn from.
    """

    seen: int
    even: list[tuple[int, PageRow]]
    by_verdict: dict[Reconciled, list[tuple[int, PageRow]]]


class RowSample:
    """Keeps, while rows stream by, those that the page will show.

    Most are an even sample; besides, every verdict has up to `LEAST_ROWS_A_VERDICT` rows of its
    own, so that a rare one can be looked at, and rows that people labelled come first.
    """

    def __init__(self, run_id: str, reviewed: Mapping[int, ReviewedRow] | None = None) -> None:
        self._run_id = run_id
        self._reviewed = reviewed or {}
        self._labelled = _Smallest(MOST_ROWS // 2, MOST_CHARACTERS // 4)
        self._even = _Smallest(MOST_ROWS, MOST_CHARACTERS * 3 // 4)
        characters = MOST_CHARACTERS // 4 // len(Reconciled)
        least = min(LEAST_ROWS_A_VERDICT, MOST_ROWS // (2 * len(Reconciled)))
        self._by_verdict = {verdict: _Smallest(least, characters) for verdict in Reconciled}
        self.seen = 0

    def watch(self, rows: Iterable[JudgedRow]) -> Iterator[JudgedRow]:
        """Pass the rows on, keeping those with the smallest hashes that fit into a page."""
        for row in rows:
            self.seen += 1
            drawn = _draw(self._run_id, row)
            reviewed = self._reviewed.get(row.row.line)
            verdict = reconcile(profile_of(row.judgment))
            samples = [self._even, self._by_verdict[verdict]]
            samples += [self._labelled] if reviewed else []
            kept_by = [sample for sample in samples if sample.takes(drawn)]
            if kept_by:
                shown = page_row(row, reviewed)
                for kept in kept_by:
                    kept.keep(drawn, shown)
            yield row

    def kept(self) -> KeptRows:
        """The sample so far, for `extend` of another."""
        by_verdict = {verdict: part.drawn() for verdict, part in self._by_verdict.items()}
        return KeptRows(self.seen, self._even.drawn(), by_verdict)

    def extend(self, others: KeptRows) -> None:
        """Keep what one sample of all rows keeps of those that others were drawn from."""
        self.seen += others.seen
        samples = [(self._even, others.even)]
        samples += [
            (self._by_verdict[verdict], rows) for verdict, rows in others.by_verdict.items()
        ]
        for ours, theirs in samples:
            for drawn, row in theirs:
                if ours.takes(drawn):
                    ours.keep(drawn, row)

    def rows(self) -> list[PageRow]:
        """The rows kept, in the order of the input file."""
        parts = (self._labelled, *self._by_verdict.values())
        kept = {row.line: row for part in parts for _, row in part.drawn()}
        for _, row in self._even.drawn():
            if len(kept) >= MOST_ROWS:
                break
            kept.setdefault(row.line, row)
        return [kept[line] for line in sorted(kept)]


class _Smallest:
    """The rows with the smallest hashes, so many of them and so long."""

    def __init__(self, most_rows: int, most_characters: int) -> None:
        self._most_rows = most_rows
        self._most_characters = most_characters
        self._kept: list[tuple[int, int, PageRow]] = []
        self._size = 0
        self._limit = 1 << 64

    def takes(self, drawn: int) -> bool:
        """True if a row with this hash may be among them."""
        return drawn < self._limit

    def keep(self, drawn: int, row: PageRow) -> None:
        """Keep a row; those with the largest hashes go where there is no room."""
        heapq.heappush(self._kept, (-drawn, -row.line, row))
        self._size += row.size
        while len(self._kept) > self._most_rows or self._size > self._most_characters:
            largest, _, dropped = heapq.heappop(self._kept)
            self._limit = -largest
            self._size -= dropped.size

    def drawn(self) -> list[tuple[int, PageRow]]:
        """The rows kept with their hashes, the smallest hash first."""
        return [(-drawn, row) for drawn, _, row in sorted(self._kept, reverse=True)]


def page_row(judged: JudgedRow, reviewed: ReviewedRow | None = None) -> PageRow:
    """Row as the page shows it, its texts cut to `MOST_CHARACTERS_A_TEXT`."""
    row, judgment = judged.row, judged.judgment
    rubric = judgment.rubric
    written = rubric if isinstance(rubric, Rubric) else None
    shown = ShownRow(
        line=row.line,
        id=_cut(row.id),
        category=_cut_or_none(row.category),
        label=reviewed.verdict if reviewed else row.label,
        prompt=_cut(row.shown),
        answer_a=_cut_or_none(row.response_A),
        answer_b=_cut_or_none(row.response_B),
        reference=_cut_or_none(row.reference),
        verdict=reconcile(profile_of(judgment)),
        forward=_verdict(judgment.forward),
        backward=_verdict(judgment.backward),
        forward_output=_cut_or_none(judgment.forward_output),
        backward_output=_cut_or_none(judgment.backward_output),
        rubric_error=_cut(rubric.reason) if isinstance(rubric, Unscored) else None,
        overall=_cut(written.overall_justification) or None if written else None,
        margin=scores.margin if (scores := recomputed_scores(judgment)) else None,
        criteria=tuple(map(_criterion, written.criteria)) if written else (),
        reviews=tuple(
            ShownReview(by, label.verdict, _cut(label.note))
            for by, label in (reviewed.said if reviewed else ())
            if label.verdict is not None
        ),
    )
    return PageRow(row.line, _size(shown), shown)


def pack(content: object) -> str:
    """JSON, compressed, in base64: no character of a hostile text reaches the page's markup."""
    # Level 9 takes six times as long, and saves a tenth.
    packed = gzip.compress(msgspec.json.encode(content), 7, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def _draw(run_id: str, row: JudgedRow) -> int:
    name = f"{run_id}\n{row.row.line}".encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())


def _verdict(judged: JudgedAs) -> Verdict | ShownReason:
    return ShownReason(_cut(judged.reason)) if isinstance(judged, Unscored) else judged


def _criterion(criterion: Criterion) -> ShownCriterion:
    return ShownCriterion(
        name=_cut(criterion.name),
        weight=criterion.weight,
        type=criterion.type,
        a=criterion.score_A,
        b=criterion.score_B,
        description=_cut(criterion.description),
        why_a=_cut(criterion.justification_A),
        why_b=_cut(criterion.justification_B),
    )


def _cut_or_none(text: str | None) -> str | None:
    return None if text is None else _cut(text)


def _cut(text: str) -> str:
    whole = storable(text)
    if len(whole) <= MOST_CHARACTERS_A_TEXT:
        return whole
    left = len(whole) - MOST_CHARACTERS_A_TEXT
    kept = whole[:MOST_CHARACTERS_A_TEXT]
    return f"{kept}…\n[{left:,} more characters stand in judgments.parquet]"


def _size(shown: ShownRow | ShownCriterion) -> int:
    texts = (value for value in msgspec.structs.astuple(shown) if isinstance(value, str))
    criteria = shown.criteria if isinstance(shown, ShownRow) else ()
    return sum(map(len, texts)) + sum(map(_size, criteria))
