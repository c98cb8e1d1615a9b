"""The rubrics of many rows as columns of whole numbers: what every recomputation works on.

Twelve bytes a criterion. With the judge's own weights, sums over these entries are exact. For
weights that a user sets by group, several criteria of one group in one row become one entry with
their mean by weight, to a thousandth of a score unit; that rounding happens once, in `by_group`,
and everything after it is exact.
"""

import functools
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.details_packing import packed_rows
from nova_judge.pairs.judge_output import rows_in
from nova_judge.pairs.judged_evidence import key_of_prompt
from nova_judge.pairs.rubric_packing import COLUMNS, PackedRows, RubricPacker
from nova_judge.pairs.weighted_scores import SCORE_UNITS
from nova_judge.parquet import columns_in, connect_to, files_of, rows_of
from nova_judge.records import CriterionScores, Judgment, Verdict
from nova_judge.statistics.arrays import Codes, Flags, Floats, Ints, Keys
from nova_judge.statistics.outcomes import Outcome, outcome_of

FINE: Final = 1000
FULL_SCORE: Final = SCORE_UNITS * FINE
"""The best score in the units of `by_group`: 400,000."""

_FRACTION: Final = float(1 << 30)
_HEAD_START = 10_000  # rows that one process reads while another starts
_OUTCOMES = {None: Outcome.ERROR} | {verdict.value: outcome_of(verdict) for verdict in Verdict}


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
        """Flags of the rows with a readable rubric."""
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

    @functools.cached_property
    def rows_of_group(self) -> Ints:
        """Number of rows that have each group."""
        return np.bincount(self.by_group.group, minlength=len(self.groups))

    @property
    def main(self) -> Flags:
        """Flags of the groups that at least a twentieth of the rows with a rubric have."""
        return np.asarray(20 * self.rows_of_group >= self.scored.sum())

    @property
    def row_weight(self) -> Floats:
        """The whole weight of each entry's row; 1 where that is 0, to divide by."""
        whole = np.repeat(self.per_row(self.weight), np.diff(self.start))
        return np.where(whole > 0, whole, 1)

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


class ReportColumns(NamedTuple):
    """The columns of a run, and of each row its category and the key of its prompt."""

    columns: RubricColumns
    categories: list[str | None]
    prompts: Keys | None = None


def read_columns(details: Path, groups: CriterionGroups) -> RubricColumns:
    """The columns of a details Parquet in row order; raises JudgeJobError.

    A second process reads the last of many rows where there is a second processor.
    """
    rows = rows_in(details)
    later = range(rows - (rows - _HEAD_START) // 2, rows)
    if len(later) < _HEAD_START or (os.cpu_count() or 1) < 2:
        return columns_from(packed_rows(details), groups)
    packer = RubricPacker()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as helper:
        helped = helper.submit(packed_rows, details, later)
        packer.extend(packed_rows(details, range(later.start)))
        packer.extend(helped.result())
    return columns_from(packer.take(), groups)


def columns_of_report(judgments: Path, groups: CriterionGroups) -> ReportColumns:
    """The rubrics of a `judgments.parquet`, in its order."""
    packer = RubricPacker()
    decoder = msgspec.json.Decoder(tuple[CriterionScores, ...])
    categories: list[str | None] = []
    prompts: list[int] = []
    with connect_to(judgments) as connection:
        # An earlier version's file has no clusters.
        cluster = "cluster" if "cluster" in columns_in(connection, judgments) else "NULL"
        result = connection.execute(
            f"SELECT forward, backward, category, criteria, prompt, {cluster} "  # noqa: S608 (ours)
            "FROM read_parquet(?)",
            [files_of(judgments)],
        )
        for forward, backward, category, criteria, prompt, named in rows_of(result):
            scores = decoder.decode(criteria) if criteria else ()
            packed = [packer.packed(one) for one in scores]
            packer.add_packed(packed, _OUTCOMES[forward], _OUTCOMES[backward])
            categories.append(category)
            prompts.append(key_of_prompt(prompt, named))
    columns = columns_from(packer.take(), groups)
    return ReportColumns(columns, categories, np.array(prompts, dtype=np.uint64))


def columns_of(judgments: Iterable[Judgment], groups: CriterionGroups) -> RubricColumns:
    """The columns of judgments in their order."""
    packer = RubricPacker()
    for judgment in judgments:
        packer.add(judgment)
    return columns_from(packer.take(), groups)


def columns_from(rows: PackedRows, groups: CriterionGroups) -> RubricColumns:
    """The columns of packed rows, their criteria brought together by `groups`.

    The bytes are taken over: afterwards they are no longer those of packed rows.
    """
    entries = np.frombuffer(rows.entries, dtype=COLUMNS)
    names = rows.names
    met = np.flatnonzero(np.bincount(entries["code"]))
    group_of = {names[code]: groups.group(names[code]) for code in met}
    members = _grouped(group_of)
    place = {group: code for code, group in enumerate(members)}
    codes = [place[group_of[name]] if name in group_of else 0 for name in names]
    entries["code"] = np.array(codes or [0], dtype=np.int32)[entries["code"]]
    counts = np.frombuffer(rows.counts, dtype=np.uint8)
    return RubricColumns(
        groups=tuple(members),
        members=tuple(tuple(raw) for raw in members.values()),
        start=np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        entries=entries,
        forward=np.frombuffer(rows.forward, dtype=np.uint8),
        backward=np.frombuffer(rows.backward, dtype=np.uint8),
    )


def row_sums(start: Ints, values: Floats) -> Floats:
    """The sum of `values[start[r]:start[r + 1]]` for each row r, 0 where that is empty."""
    sums = np.zeros(len(start) - 1)
    filled = np.diff(start) > 0
    if len(values):
        sums[filled] = np.add.reduceat(values, start[:-1][filled])
    return sums


def _grouped(group_of: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of each group, both in alphabetical order."""
    members: dict[str, list[str]] = {group: [] for group in sorted(set(group_of.values()))}
    for name in sorted(group_of):
        members[group_of[name]].append(name)
    return members


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
