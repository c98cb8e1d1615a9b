"""Labels of a run: the design in `draw.json`, and one file of labels per reviewer."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

import msgspec

from nova_judge.errors import ReviewError
from nova_judge.records import Verdict
from nova_judge.statistics.outcomes import Outcome, outcome_of

DRAW = "draw.json"
LABELS = "labels"
_SUFFIX = ".jsonl"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MOST_NOTE = 2000


class DrawnRow(msgspec.Struct, frozen=True):
    """A row that is to be labelled, by its line, and the probability with which it was drawn."""

    line: int
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that were drawn, in the order of showing. `created` is ISO 8601, UTC."""

    run_id: str
    budget: int
    seed: int
    created: str
    rows: tuple[DrawnRow, ...]


class ReviewLabel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a reviewer said of a row, None where it was skipped; `shown` is what stood left, right.

    A later line of the file replaces an earlier one of the same row.
    """

    line: int
    verdict: Verdict | None
    shown: Literal["AB", "BA"]
    at: str
    note: str = ""


class LabelStore(Protocol):
    """The folder `labels/` of a run, wherever it lies."""

    @property
    def where(self) -> str:
        """The folder as a person would name it."""

    def names(self) -> list[str]:
        """The names of its files."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where it is not there."""

    def write(self, name: str, content: bytes) -> None:
        """Replace a file as a whole."""


class LabelFolder:
    """Labels in a folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    def names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    def read(self, name: str) -> bytes | None:
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._folder / f".{name}.{os.getpid()}"
        written.write_bytes(content)
        written.replace(self._folder / name)


def label_folder(report: Path) -> Path:
    """The folder of labels that belongs to a report's folder."""
    return (report.parent if report.name == "report" else report) / LABELS


class ReviewedRow(NamedTuple):
    """A row that people labelled: what most of them say, the probability of its draw, and who."""

    verdict: Verdict
    probability: float
    said: tuple[tuple[str, ReviewLabel], ...]


class Review(NamedTuple):
    """The design and everybody's labels."""

    draw: Draw
    labels: Mapping[str, Mapping[int, ReviewLabel]]

    def rows(self) -> dict[int, ReviewedRow]:
        """The labelled rows by line."""
        return {
            drawn.line: ReviewedRow(_of_most(said), drawn.probability, said)
            for drawn in self.draw.rows
            if (said := tuple(self._said_of(drawn.line)))
        }

    def _said_of(self, line: int) -> Iterator[tuple[str, ReviewLabel]]:
        for reviewer, labels in sorted(self.labels.items()):
            label = labels.get(line)
            if label is not None and label.verdict is not None:
                yield reviewer, label


def _of_most(said: Sequence[tuple[str, ReviewLabel]]) -> Verdict:
    """What most reviewers say; a tie where no outcome has most of them."""
    verdicts = [label.verdict for _, label in said if label.verdict is not None]
    outcomes = Counter(map(outcome_of, verdicts)).most_common(2)
    if len(outcomes) > 1 and outcomes[0][1] == outcomes[1][1]:
        return Verdict.TIE
    if outcomes[0][0] is not Outcome.TIE:
        return Verdict.A if outcomes[0][0] is Outcome.A else Verdict.B
    bad = verdicts.count(Verdict.BOTH_BAD)
    return Verdict.BOTH_BAD if bad > verdicts.count(Verdict.TIE) else Verdict.TIE


def check_name(reviewer: str) -> str:
    """A reviewer's name that can be a file's. Raises ReviewError."""
    if _NAME.fullmatch(reviewer) and f"{reviewer}{_SUFFIX}" != DRAW:
        return reviewer
    raise ReviewError(
        f"{reviewer!r} cannot name a file of labels: use letters, digits, dots, dashes and "
        "underscores, as in --reviewer anna"
    )


def read_draw(store: LabelStore) -> Draw | None:
    """The design of a review; None where nothing was drawn yet. Raises ReviewError."""
    content = store.read(DRAW)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Draw)
    except msgspec.MsgspecError as error:
        raise ReviewError(f"{store.where}/{DRAW} is not a design of a review: {error}") from error


def write_draw(store: LabelStore, draw: Draw) -> None:
    """Keep a design; it is never changed, because labels rest on it."""
    store.write(DRAW, msgspec.json.format(msgspec.json.encode(draw), indent=1) + b"\n")


def read_labels(store: LabelStore, reviewer: str) -> dict[int, ReviewLabel]:
    """The labels of a reviewer by line, the last of each row. Raises ReviewError."""
    content = store.read(f"{reviewer}{_SUFFIX}") or b""
    try:
        labels = msgspec.json.Decoder(ReviewLabel).decode_lines(content)
    except msgspec.MsgspecError as error:
        raise ReviewError(f"{store.where}/{reviewer}{_SUFFIX}: {error}") from error
    return {label.line: label for label in labels}


def write_labels(store: LabelStore, reviewer: str, labels: Mapping[int, ReviewLabel]) -> None:
    """Write a reviewer's file."""
    content = msgspec.json.Encoder().encode_lines(labels.values())
    store.write(f"{reviewer}{_SUFFIX}", content)


def read_review(store: LabelStore) -> Review | None:
    """The design and all labels; None where nothing was drawn. Raises ReviewError."""
    draw = read_draw(store)
    if draw is None:
        return None
    reviewers = [name.removesuffix(_SUFFIX) for name in store.names() if name.endswith(_SUFFIX)]
    return Review(draw, {name: read_labels(store, check_name(name)) for name in reviewers})
