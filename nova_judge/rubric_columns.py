"""The rubrics of many rows as columns of whole numbers: what every recomputation works on.

One entry is one group of criteria in one row. With the judge's own weights its sums are exact. For
weights that a user sets by group, the scores of several criteria of one group in one row become
their mean by weight, to a thousandth of a score unit; that rounding happens once, here, and
everything after it is exact.
"""

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
Codes: TypeAlias = npt.NDArray[np.uint8]

FINE: Final = 1000
FULL_SCORE: Final = SCORE_UNITS * FINE
"""The best score in the units of an entry: 400,000."""


_FRACTION: Final = float(1 << 30)


class Entry(NamedTuple):
    """One criterion of one row: code of its name, weight in millionths, scores in 400ths."""

    name: int
    weight: int
    A: int
    B: int


@dataclass(frozen=True, slots=True, eq=False)
class RubricColumns:
    """Entries in row order: `start[r]:start[r + 1]` are those of row r.

    `weight` is the judge's, `weighted_A` and `weighted_B` its sums of weight x score in units; `A`
    and `B` are the group's own scores in fine units.
    `members` are the raw names that each group brought together.
    """

    groups: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    start: Ints
    group: Ints
    weight: Ints
    weighted_A: Ints
    weighted_B: Ints
    A: Ints
    B: Ints
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
    def scored(self) -> npt.NDArray[np.bool_]:
        """Which rows have a readable rubric."""
        return np.diff(self.start) > 0

    def per_row(self, values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """The sum of a value over the entries of each row, 0 without any; exact for integers."""
        sums = np.zeros(self.rows)
        scored = self.scored
        if len(values):
            sums[scored] = np.add.reduceat(values, self.start[:-1][scored])
        return sums

    def per_group(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The sum of a value in [-1, 1] over the entries of each group.

        Values are rounded to 2^-30, so that the order of the rows and the number of shards change
        no bit.
        """
        units = np.rint(values * _FRACTION)
        return np.bincount(self.group, weights=units, minlength=len(self.groups)) / _FRACTION


class ColumnsBuilder:
    """Collects rows one by one; a hundred bytes a row."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._start = array("q", [0])
        self._entries = array("q")
        self._forward = array("B")
        self._backward = array("B")

    def name(self, name: str) -> int:
        """The code of a criterion's name."""
        return self._names.setdefault(name, len(self._names))

    def entry(self, criterion: Criterion) -> Entry:
        """One criterion in units."""
        return Entry(
            self.name(criterion.name),
            weight_units(criterion.weight),
            score_units(criterion, criterion.score_A),
            score_units(criterion, criterion.score_B),
        )

    def add(self, judgment: Judgment) -> None:
        """The next row. A rubric that is missing or unreadable leaves a row without entries."""
        rubric = judgment.rubric
        criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
        self.add_row(
            map(self.entry, criteria),
            outcome_of(judgment.forward),
            outcome_of(judgment.backward),
        )

    def add_row(self, entries: Iterable[Entry], forward: Outcome, backward: Outcome) -> None:
        """The next row, from entries."""
        for entry in entries:
            self._entries.extend(entry)
        self._start.append(len(self._entries) // len(Entry._fields))
        self._forward.append(forward)
        self._backward.append(backward)

    def columns(self, groups: CriterionGroups) -> RubricColumns:
        """The columns of all rows added, with their criteria brought together by `groups`."""
        table = np.frombuffer(self._entries, dtype=np.int64).reshape(-1, len(Entry._fields))
        start = np.frombuffer(self._start, dtype=np.int64).copy()
        names, members = _grouped(self._names, groups.group)
        row = np.repeat(np.arange(len(start) - 1), np.diff(start))
        code = np.array([*names.values(), 0], dtype=np.int64)[table[:, 0]]
        merged = _merged(row * max(len(members), 1) + code, table)
        row, code = np.divmod(merged.key, max(len(members), 1))
        counts = np.bincount(row, minlength=len(start) - 1)
        return RubricColumns(
            groups=tuple(members),
            members=tuple(tuple(raw) for raw in members.values()),
            start=np.concatenate(([0], np.cumsum(counts))),
            group=code,
            weight=merged.weight,
            weighted_A=merged.weighted_A,
            weighted_B=merged.weighted_B,
            A=merged.A,
            B=merged.B,
            forward=np.frombuffer(self._forward, dtype=np.uint8).copy(),
            backward=np.frombuffer(self._backward, dtype=np.uint8).copy(),
        )


def columns_of(judgments: Iterable[Judgment], groups: CriterionGroups) -> RubricColumns:
    """The columns of judgments in their order."""
    builder = ColumnsBuilder()
    for judgment in judgments:
        builder.add(judgment)
    return builder.columns(groups)


class _Merged(NamedTuple):
    key: Ints
    weight: Ints
    weighted_A: Ints
    weighted_B: Ints
    A: Ints
    B: Ints


def _grouped(
    names: dict[str, int], group: Callable[[str], str]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The group code of each name, and the names of each group; groups in alphabetical order."""
    members: dict[str, list[str]] = {}
    for name in sorted(names):
        members.setdefault(group(name), []).append(name)
    ordered = {name: members[name] for name in sorted(members)}
    codes = {name: code for code, name in enumerate(ordered)}
    return {name: codes[group(name)] for name in names}, ordered


def _merged(key: Ints, table: Ints) -> _Merged:
    """Entries by key in ascending order; those with one key become one, by weight."""
    order = np.argsort(key, kind="stable")
    key, (_, weight, of_a, of_b) = key[order], table[order].T
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if len(first) == len(key):
        return _Merged(key, weight.copy(), weight * of_a, weight * of_b, of_a * FINE, of_b * FINE)
    sums = [np.add.reduceat(values, first) for values in (weight, weight * of_a, weight * of_b)]
    # Criteria without any weight count alike inside their group.
    shares = np.where(np.repeat(sums[0], np.diff(first, append=len(key))) > 0, weight, 1)
    whole = np.add.reduceat(shares, first)
    means = [
        _half_even(np.add.reduceat(shares * side * FINE, first), whole) for side in (of_a, of_b)
    ]
    return _Merged(key[first], *sums, *means)


def _half_even(numerator: Ints, denominator: Ints) -> Ints:
    """Whole-number division, rounded half to even."""
    quotient, rest = np.divmod(numerator, denominator)
    up = (2 * rest > denominator) | ((2 * rest == denominator) & (quotient % 2 == 1))
    rounded: Ints = quotient + up
    return rounded
