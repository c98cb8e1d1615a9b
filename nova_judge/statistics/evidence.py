"""Evidence that the statistics need of every row, in columns: no texts, 100 bytes per row."""

import enum
import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nova_judge.records import JudgedAs, Unscored, Verdict
from nova_judge.statistics.arrays import Codes, Flags, Floats, Keys, RowIndices
from nova_judge.statistics.clusters import ClusterCounts, cluster_counts
from nova_judge.statistics.outcomes import (
    PROFILES,
    Outcome,
    Profile,
    ProfileCounts,
    outcome_of,
    score_quarters,
)

__all__ = ["count_codes", "gather", "key_of", "markup_of"]

NOT_ASKED = Unscored("not asked")
_BATCH = 20_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LABEL_SCORES = np.array([0.0, 1.0, 0.5, math.nan])
_MARKUP = (
    re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE),
    re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]", re.MULTILINE),
    re.compile(r"\*\*[^*\n]{1,300}\*\*|__[^_\n]{1,300}__"),
)


class Basis(enum.StrEnum):
    """Form of a row's judgment: two verdicts, one, the share that B wins, one rubric's scores
    under other weights than the judge's, or a judgment that a job only counted."""

    BOTH_ORDERS = "both orders"
    ONE_ORDER = "one order"
    PREFERENCE = "preference"
    REWEIGHED = "reweighed rubric"
    JUDGMENT = "judgment"


class Markup(NamedTuple):
    """Markdown structure of one answer: how many headings, list items and bold passages."""

    headings: int
    list_items: int
    bold: int


class EvidenceRow(NamedTuple):
    """One row as the statistics see it; None where the input says nothing.

    `preference` is the share that B wins, in [0, 1]; `margin` favours A when positive; lengths are
    in characters. Rows of one `cluster` (see `key_of`) are answers to one prompt; 0 is a row alone.
    `probability`, in (0, 1], is the chance that the row had to be drawn for a label.
    """

    forward: JudgedAs = NOT_ASKED
    backward: JudgedAs = NOT_ASKED
    label: Verdict | None = None
    margin: float | None = None
    category: str | None = None
    length_A: int | None = None
    length_B: int | None = None
    markup_A: Markup | None = None
    markup_B: Markup | None = None
    preference: float | None = None
    cluster: int = 0
    probability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Columns of equal length. Codes are `Outcome`; NaN and `Outcome.ERROR` mean unknown."""

    forward: Codes
    backward: Codes
    both_bad_forward: Flags
    both_bad_backward: Flags
    labels: Codes
    margins: Floats
    categories: npt.NDArray[np.object_]
    lengths: Floats
    markup: Floats
    preferences: Floats
    clusters: Keys
    probabilities: Floats

    @property
    def rows(self) -> int:
        return len(self.forward)

    @property
    def profiles(self) -> ProfileCounts:
        """The profile counts of all rows."""
        counted = count_codes(self.forward, self.backward)
        return ProfileCounts(
            counted.counts, int(self.both_bad_forward.sum()), int(self.both_bad_backward.sum())
        )

    @property
    def label_scores(self) -> Floats:
        """The label of every row as a score of B: 0, 1/2 (a tie, both bad) or 1; NaN unknown."""
        return _LABEL_SCORES[self.labels]

    @property
    def scores(self) -> Floats:
        """The score of B in every row: its preference, or the mean of both orders; NaN unknown."""
        of_profile = np.array([_quarters_or_nan(profile) for profile in PROFILES]) / 4
        judged = of_profile[self.forward.astype(np.intp) * len(Outcome) + self.backward]
        return np.where(np.isnan(self.preferences), judged, self.preferences)

    @property
    def leads(self) -> npt.NDArray[np.int64]:
        """1 in rows that both orders decide for B, -1 in those for A, 0 in all others."""
        named = self.forward == self.backward
        of_b, of_a = (named & (self.forward == side) for side in (Outcome.B, Outcome.A))
        leads: npt.NDArray[np.int64] = of_b.astype(np.int64) - of_a.astype(np.int64)
        return leads

    @property
    def cluster_counts(self) -> ClusterCounts | None:
        """The prompts of all rows with a score; None where none repeats."""
        return cluster_counts(self.clusters, self.scores, self.leads)

    @property
    def labelled(self) -> "Evidence":
        """The rows with a label; of these only the drawn ones where a review drew any."""
        known = self.labels < Outcome.ERROR
        drawn = known & ~np.isnan(self.probabilities)
        return self.where(drawn if drawn.any() else known)

    @property
    def weights(self) -> Floats | None:
        """One over the probability of the draw; None where rows were not drawn."""
        drawn = self.rows > 0 and not np.isnan(self.probabilities).any()
        return 1.0 / self.probabilities if drawn else None

    def forward_alone(self) -> "Evidence":
        """The same rows with the first order's verdicts in both, for files that have one order."""
        return replace(self, backward=self.forward, both_bad_backward=self.both_bad_forward)

    def repeated(self, times: Sequence[int]) -> "Evidence":
        """Each row so many times over; columns that say nothing take no memory."""
        columns = (getattr(self, field.name) for field in fields(self))
        lean = (
            np.broadcast_to(np.nan, column.shape)
            if column.dtype == np.float64 and np.isnan(column).all()
            else column
            for column in columns
        )
        return Evidence(*lean).where(np.repeat(np.arange(self.rows), times))

    def where(self, chosen: Flags | RowIndices) -> "Evidence":
        """The rows that are marked, or that have these numbers."""
        rows = len(self.forward[chosen])
        columns = (getattr(self, field.name) for field in fields(self))
        return Evidence(
            *(
                np.broadcast_to(column[:1], (rows, *column.shape[1:]))
                if _says_nothing(column)
                else column[chosen]
                for column in columns
            )
        )

    def sampled(self, most: int) -> "Evidence":
        """About `most` rows, drawn evenly by prompt; all where there are no more of them."""
        return self if self.rows <= most else self.where(self.drawn(most))

    def drawn(self, most: int) -> Flags:
        """Flags of about `most` of more rows, drawn evenly by prompt."""
        of_rows = np.arange(1, self.rows + 1, dtype=np.uint64) * _GOLDEN  # even: Weyl's sequence
        draws = np.where(self.clusters == 0, of_rows, self.clusters)
        return draws < np.uint64(2**64 // self.rows * most)


def _says_nothing(column: npt.NDArray[Any]) -> bool:
    """True for unknown values that take no memory."""
    return len(column) > 1 and column.strides[0] == 0


def count_codes(forward: Codes, backward: Codes) -> ProfileCounts:
    """Count profiles from two equally long columns of `Outcome` codes (both bad count as a tie).

    >>> codes = np.array([Outcome.A, Outcome.B], np.uint8)
    >>> count_codes(codes, codes).reconciled
    ReconciledTally(a=1, b=1, ties=0, inconsistent=0, errors=0)
    """
    codes = forward.astype(np.intp) * len(Outcome) + backward
    return ProfileCounts(tuple(np.bincount(codes, minlength=len(PROFILES)).tolist()))


def key_of(*texts: str) -> int:
    """A number from 1 to 2^64 - 1 that stands for these texts, the same everywhere and always.

    >>> key_of("Capital of France?") == key_of("Capital of France?") != key_of("Of Spain?")
    True
    """
    joined = "\0".join(texts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(joined).digest()[:8], "big") or 1


class EvidenceColumns:
    """Collects rows one by one in batches, so that memory holds the columns and one batch."""

    def __init__(self) -> None:
        self._parts: list[Evidence] = []
        self._batch: list[EvidenceRow] = []

    def add(self, row: EvidenceRow) -> None:
        """The next row."""
        self._batch.append(row)
        if len(self._batch) == _BATCH:
            self._parts.append(_columns(self._batch))
            self._batch = []

    def take(self) -> Evidence:
        """All rows since the last time."""
        parts = [*self._parts, _columns(self._batch)]
        self._parts, self._batch = [], []
        return joined(parts)


def gather(rows: Iterable[EvidenceRow]) -> Evidence:
    """Rows to columns.

    >>> evidence = gather([EvidenceRow(Verdict.A, Verdict.A), EvidenceRow(Verdict.B, Verdict.A)])
    >>> evidence.rows, evidence.scores.tolist()
    (2, [0.0, 0.5])
    """
    columns = EvidenceColumns()
    for row in rows:
        columns.add(row)
    return columns.take()


def _quarters_or_nan(profile: Profile) -> float:
    quarters = score_quarters(profile)
    return math.nan if quarters is None else quarters


def markup_of(text: str | None) -> Markup | None:
    """The Markdown structure of an answer; None without one.

    >>> markup_of("# Title with **bold**")
    Markup(headings=1, list_items=0, bold=1)
    """
    if text is None:
        return None
    return Markup(*(len(pattern.findall(text)) for pattern in _MARKUP))


def _columns(rows: list[EvidenceRow]) -> Evidence:
    labels = [Outcome.ERROR if row.label is None else outcome_of(row.label) for row in rows]
    return Evidence(
        forward=np.array([outcome_of(row.forward) for row in rows], dtype=np.uint8),
        backward=np.array([outcome_of(row.backward) for row in rows], dtype=np.uint8),
        both_bad_forward=np.array([row.forward == Verdict.BOTH_BAD for row in rows], dtype=bool),
        both_bad_backward=np.array([row.backward == Verdict.BOTH_BAD for row in rows], dtype=bool),
        labels=np.array(labels, dtype=np.uint8),
        margins=_floats([row.margin for row in rows]),
        categories=np.array([row.category for row in rows], dtype=object),
        lengths=_floats([[row.length_A, row.length_B] for row in rows]).reshape(-1, 2),
        markup=_floats([_markup_pair(row) for row in rows]).reshape(-1, 2, len(_MARKUP)),
        preferences=_floats([row.preference for row in rows]),
        clusters=np.array([row.cluster for row in rows], dtype=np.uint64),
        probabilities=_floats([row.probability for row in rows]),
    )


def _markup_pair(row: EvidenceRow) -> list[tuple[float | None, ...]]:
    unknown = (None,) * len(_MARKUP)
    return [row.markup_A or unknown, row.markup_B or unknown]


def _floats(values: Sequence[object]) -> Floats:
    return np.array(values, dtype=object).astype(np.float64)


def joined(parts: Sequence[Evidence]) -> Evidence:
    """The rows of all parts, in their order; at least one part."""
    return Evidence(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Evidence)
        )
    )
