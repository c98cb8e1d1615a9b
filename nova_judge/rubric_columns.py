"""The rubrics of many rows as columns of whole numbers: what every recomputation works on.

Twelve bytes a criterion. With the judge's own weights, sums over these entries are exact. For
weights that a user sets by group, several criteria of one group in one row become one entry with
their mean by weight, to a thousandth of a score unit; that rounding happens once, in `by_group`,
and everything after it is exact.
"""

import functools
import struct
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from nova_judge.criteria import CriterionGroups
from nova_judge.outcomes import Outcome, outcome_of
from nova_judge.records import Criterion, Judgment, Rubric
from nova_judge.weighted_scores import SCORE_UNITS, score_units, weight_units

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]

FINE: Final = 1000
FULL_SCORE: Final = SCORE_UNITS * FINE
"""The best score in the units of `by_group`: 400,000."""

ENTRY: Final = np.dtype([("code", "<i4"), ("weight", "<i4"), ("A", "<i2"), ("B", "<i2")])
_PACK: Final = struct.Struct("<iihh").pack
_FRACTION: Final = float(1 << 30)


class GroupEntries(NamedTuple):
    """One entry for each group of each row: `start[r]:start[r + 1]` are those of row r.

    Scores are whole numbers from 0 to FULL_SCORE.
    """

    start: Ints
    group: npt.NDArray[Any]
    A: Ints
    B: Ints


@dataclass(frozen=True, eq=False)
class RubricColumns:
    """One entry for each criterion of each row: `start[r]:start[r + 1]` are those of row r.

    `group` is the group's place in `groups`, weights are in millionths, scores in 400ths; `members`
    are the raw names that each group brought together. `forward` and `backward` are `Outcome`.
    """

    groups: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    start: Ints
    entries: npt.NDArray[Any]
    forward: Codes
    backward: Codes

    @property
    def rows(self) -> int:
        """Rows that were sent to the judge."""
        return len(self.start) - 1

    @property
    def row(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(self.rows), np.diff(self.start))

    @property
    def scored(self) -> Flags:
        """Which rows have a readable rubric."""
        return np.diff(self.start) > 0

    @property
    def group(self) -> npt.NDArray[Any]:
        """The group of each entry."""
        return self.entries["code"]

    @property
    def weight(self) -> Floats:
        """The judge's weight of each entry, in millionths."""
        return self.entries["weight"].astype(np.float64)

    def weighted(self, side: str) -> Floats:
        """Weight x score of each entry for candidate A or B: whole numbers."""
        return np.asarray(self.weight * self.entries[side])

    @property
    def weighted_lead(self) -> Floats:
        """Weight x (score of A - score of B) of each entry: whole numbers."""
        return np.asarray(self.weight * (self.entries["A"] - self.entries["B"]))

    @functools.cached_property
    def by_group(self) -> GroupEntries:
        """The entries with several criteria of one group in one row made one."""
        groups = max(len(self.groups), 1)
        key = self.row * groups + self.group
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        if len(first) == len(key):
            fine = (self.entries[side].astype(np.int64) * FINE for side in ("A", "B"))
            return GroupEntries(self.start, self.group, *fine)
        means = _means(self.entries[order], first)
        row, code = np.divmod(key[first], groups)
        start = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=self.rows))))
        return GroupEntries(start, code, *means)

    def per_row(self, values: Floats) -> Floats:
        """The sum of a value over the entries of each row, 0 without any; exact for integers."""
        return row_sums(self.start, values)

    def per_group(self, values: Floats) -> Floats:
        """The sum of a value in [-1, 1] over the entries of each group.

        Values are rounded to 2^-30, so that the order of the rows and the number of shards change
        no bit.
        """
        units = np.rint(values * _FRACTION)
        return np.bincount(self.group, weights=units, minlength=len(self.groups)) / _FRACTION


class PackedRows(NamedTuple):
    """What a builder holds, as bytes."""

    names: tuple[str, ...]
    start: bytes
    entries: bytes
    forward: bytes
    backward: bytes


class ColumnsBuilder:
    """Collects rows one by one, in a hundred bytes a row."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._start = array("q", [0])
        self._entries = bytearray()
        self._forward = bytearray()
        self._backward = bytearray()
        self._handed_over = False

    def packed(self, criterion: Criterion) -> bytes:
        """One criterion as an entry."""
        code = self._names.setdefault(criterion.name, len(self._names))
        of_a, of_b = (score_units(criterion, s) for s in (criterion.score_A, criterion.score_B))
        return _PACK(code, weight_units(criterion.weight), of_a, of_b)

    def add(self, judgment: Judgment) -> None:
        """The next row. A rubric that is missing or unreadable leaves a row without entries."""
        rubric = judgment.rubric
        criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
        forward, backward = outcome_of(judgment.forward), outcome_of(judgment.backward)
        self.add_packed(map(self.packed, criteria), forward, backward)

    def add_packed(self, entries: Iterable[bytes], forward: Outcome, backward: Outcome) -> None:
        """The next row, from packed entries."""
        self._entries += b"".join(entries)
        self._start.append(len(self._entries) // ENTRY.itemsize)
        self._forward.append(forward)
        self._backward.append(backward)

    def packed_rows(self) -> PackedRows:
        """All rows added, to be handed to another builder, in another process perhaps."""
        return PackedRows(
            tuple(self._names),
            self._start.tobytes(),
            bytes(self._entries),
            bytes(self._forward),
            bytes(self._backward),
        )

    def extend(self, rows: PackedRows) -> None:
        """The next rows, from another builder."""
        codes = [self._names.setdefault(name, len(self._names)) for name in rows.names]
        entries = np.frombuffer(rows.entries, dtype=ENTRY).copy()
        entries["code"] = np.array([*codes, 0])[entries["code"]]
        start = np.frombuffer(rows.start, dtype=np.int64)[1:] + self._start[-1]
        self._start.frombytes(start.tobytes())
        self._entries += entries.tobytes()
        self._forward += rows.forward
        self._backward += rows.backward

    def columns(self, groups: CriterionGroups) -> RubricColumns:
        """The columns of all rows added, their criteria brought together by `groups`.

        The rows are handed over and not copied, so that this can be asked once only.
        """
        if self._handed_over:
            raise RuntimeError("the rows of this builder were handed over before")
        self._handed_over = True
        entries = np.frombuffer(self._entries, dtype=ENTRY)
        met = np.bincount(entries["code"], minlength=len(self._names)) > 0
        names = [name for name, is_met in zip(self._names, met, strict=True) if is_met]
        members = _grouped(names, groups.group)
        place = {group: code for code, group in enumerate(members)}
        codes = np.zeros(len(met), dtype=np.int32)
        codes[met] = [place[groups.group(name)] for name in names]
        entries["code"] = codes[entries["code"]]
        return RubricColumns(
            groups=tuple(members),
            members=tuple(tuple(raw) for raw in members.values()),
            start=np.frombuffer(self._start, dtype=np.int64),
            entries=entries,
            forward=np.frombuffer(self._forward, dtype=np.uint8),
            backward=np.frombuffer(self._backward, dtype=np.uint8),
        )


def columns_of(judgments: Iterable[Judgment], groups: CriterionGroups) -> RubricColumns:
    """The columns of judgments in their order."""
    builder = ColumnsBuilder()
    for judgment in judgments:
        builder.add(judgment)
    return builder.columns(groups)


def row_sums(start: Ints, values: Floats) -> Floats:
    """The sum of `values[start[r]:start[r + 1]]` for each row r, 0 where that is empty."""
    sums = np.zeros(len(start) - 1)
    filled = np.diff(start) > 0
    if len(values):
        sums[filled] = np.add.reduceat(values, start[:-1][filled])
    return sums


def _grouped(names: Iterable[str], group: Callable[[str], str]) -> dict[str, list[str]]:
    """The names of each group, both in alphabetical order."""
    members: dict[str, list[str]] = {}
    for name in sorted(names):
        members.setdefault(group(name), []).append(name)
    return {name: members[name] for name in sorted(members)}


def _means(entries: npt.NDArray[Any], first: Ints) -> list[Ints]:
    """Mean scores by weight of the entries from each `first` to the next, in fine units."""
    weight = entries["weight"].astype(np.int64)
    count = np.diff(first, append=len(entries))
    # Criteria without any weight count alike inside their group.
    shares = np.where(np.repeat(np.add.reduceat(weight, first), count) > 0, weight, 1)
    whole = np.add.reduceat(shares, first)
    return [
        _half_even(np.add.reduceat(shares * entries[side] * FINE, first), whole)
        for side in ("A", "B")
    ]


def _half_even(numerator: Ints, denominator: Ints) -> Ints:
    """Whole-number division, rounded half to even."""
    quotient, rest = np.divmod(numerator, denominator)
    up = (2 * rest > denominator) | ((2 * rest == denominator) & (quotient % 2 == 1))
    rounded: Ints = quotient + up
    return rounded
