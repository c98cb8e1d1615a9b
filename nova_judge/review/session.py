"""One reviewer at work: rows in their order, each with its answers left and right by chance."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from nova_judge.errors import ReviewError
from nova_judge.records import InputRow, Verdict
from nova_judge.review.labels import (
    MOST_NOTE,
    Draw,
    LabelStore,
    ReviewLabel,
    read_labels,
    write_labels,
)

SideSaid = Literal["left", "right", "tie", "both_bad", "skip"]


class ShownPair(msgspec.Struct, frozen=True, kw_only=True):
    """A row as a reviewer sees it: nothing tells who answered, or what the judge says."""

    place: int
    rows: int
    labelled: int
    skipped: int
    prompt: str
    left: str
    right: str
    reference: str | None
    said: SideSaid | None
    note: str


class SentLabel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page sends: a place in the order, what was said, and a note."""

    place: int
    said: SideSaid
    note: str = ""


class ReviewSession:
    """The rows of a design for one reviewer, whose labels are written after each."""

    def __init__(
        self,
        draw: Draw,
        rows: Mapping[int, InputRow],
        store: LabelStore,
        reviewer: str,
        now: Callable[[], str],
    ) -> None:
        self._lines = [drawn.line for drawn in draw.rows]
        self._rows = rows
        self._store = store
        self.reviewer = reviewer
        self._seed = draw.seed
        self._now = now
        self._labels = read_labels(store, reviewer)

    @property
    def done(self) -> int:
        """Rows that were labelled or left out."""
        return sum(line in self._labels for line in self._lines)

    @property
    def rows(self) -> int:
        """All rows of the design."""
        return len(self._lines)

    def first_open(self) -> int:
        """The place of the first row that waits; the number of rows where none does."""
        waiting = (place for place, line in enumerate(self._lines) if line not in self._labels)
        return next(waiting, self.rows)

    def shown(self, place: int) -> ShownPair:
        """The row at a place. Raises ReviewError where there is none."""
        line = self._line(place)
        row, label = self._rows[line], self._labels.get(line)
        order = self._order(line)
        answers = [row.response(candidate) or "" for candidate in order]  # type: ignore[arg-type]
        skipped = sum(
            self._labels[line].verdict is None for line in self._lines if line in self._labels
        )
        return ShownPair(
            place=place,
            rows=self.rows,
            labelled=self.done - skipped,
            skipped=skipped,
            prompt=row.shown,
            left=answers[0],
            right=answers[1],
            reference=row.reference,
            said=None if label is None else _side_of(label),
            note="" if label is None else label.note,
        )

    def answer(self, answered: SentLabel) -> int:
        """Keep what was said, and give the place of the next row that waits."""
        line = self._line(answered.place)
        order = self._order(line)
        self._labels[line] = ReviewLabel(
            line=line,
            verdict=_verdict(answered.said, order),
            shown=order,
            at=self._now(),
            note=answered.note.strip()[:MOST_NOTE],
        )
        write_labels(self._store, self.reviewer, self._labels)
        after = range(answered.place + 1, self.rows)
        waiting = (place for place in after if self._lines[place] not in self._labels)
        return next(waiting, self.first_open())

    def _line(self, place: int) -> int:
        if not 0 <= place < self.rows:
            raise ReviewError(f"there is no row {place + 1} of {self.rows}")
        return self._lines[place]

    def _order(self, line: int) -> Literal["AB", "BA"]:
        """The candidate on the left, by chance, and for each reviewer and row always the same."""
        if line in self._labels:
            return self._labels[line].shown
        named = f"{self._seed}\n{self.reviewer}\n{line}".encode()
        return "AB" if hashlib.blake2b(named, digest_size=1).digest()[0] % 2 else "BA"


def _verdict(said: SideSaid, order: str) -> Verdict | None:
    named = {"left": Verdict(order[0]), "right": Verdict(order[1])}
    return named.get(said) or {"tie": Verdict.TIE, "both_bad": Verdict.BOTH_BAD}.get(said)


def _side_of(label: ReviewLabel) -> SideSaid:
    if label.verdict is None:
        return "skip"
    if label.verdict in (Verdict.TIE, Verdict.BOTH_BAD):
        return "tie" if label.verdict is Verdict.TIE else "both_bad"
    return "left" if label.verdict.value == label.shown[0] else "right"
