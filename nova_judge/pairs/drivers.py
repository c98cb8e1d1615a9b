"""Criteria that drive the preference, and categories in which a candidate loses."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.pairs.rubric_columns import RubricColumns
from nova_judge.pairs.weighted_scores import SCORE_UNITS
from nova_judge.records import Candidate
from nova_judge.statistics.outcomes import Outcome

WORST_SHOWN = 3
NO_CATEGORY = "(none)"


class Driver(msgspec.Struct, frozen=True):
    """Share that one group adds to the mean margin A - B; over all groups the shares sum to it."""

    group: str
    contribution: float


class RootCause(msgspec.Struct, frozen=True):
    """Cause of a loss: rows of a category lost, and what a group cost the candidate there.

    `loss` is the mean weighted difference of scores over the lost rows of the category, `worst`
    the indices of the rows on which the group cost most.
    """

    category: str
    group: str
    lost: int
    loss: float
    worst: tuple[int, ...]


def contributions(columns: RubricColumns) -> npt.NDArray[np.float64]:
    """Each entry's share of its row's margin A - B, with the judge's own weights."""
    whole = np.repeat(columns.per_row(columns.weight), np.diff(columns.start))
    shares: npt.NDArray[np.float64] = columns.weighted_lead / (
        np.where(whole > 0, whole, 1) * SCORE_UNITS
    )
    return shares


def drivers(columns: RubricColumns) -> list[Driver]:
    """All groups, the one that moves the mean margin most first."""
    sums = columns.per_group(contributions(columns)) / max(1, int(columns.scored.sum()))
    unordered = [Driver(group, float(sums[code])) for code, group in enumerate(columns.groups)]
    return sorted(unordered, key=lambda one: (-abs(one.contribution), one.group))


def leading_driver(entries: Sequence[Driver]) -> Driver | None:
    """The group that adds most in the direction of the mean margin; None at a level margin."""
    margin = sum(one.contribution for one in entries)
    towards = [one for one in entries if one.contribution * margin > 0]
    return towards[0] if towards else None


def root_causes(
    columns: RubricColumns, categories: Sequence[str | None], loser: Candidate
) -> list[RootCause]:
    """Causes of the rows that the judge's own verdicts take from a candidate, the costliest first.

    A row is lost when one order names the other candidate and no order names this one.
    """
    lost = _lost(columns, loser)
    row = columns.row
    cost = contributions(columns) * (1.0 if loser == "B" else -1.0)
    names = np.array([category or NO_CATEGORY for category in categories], dtype=object)
    causes = []
    for category in sorted(set(names[lost].tolist())):
        inside = lost & (names == category)
        at = inside[row]
        rows = int(inside.sum())
        for code in np.unique(columns.group[at]):
            chosen = np.flatnonzero(at & (columns.group == code))
            loss = float(cost[chosen].sum()) / rows
            if loss > 0:
                worst = chosen[np.argsort(-cost[chosen], kind="stable")][:WORST_SHOWN]
                worst_rows = tuple(row[worst].tolist())
                causes.append(RootCause(category, columns.groups[code], rows, loss, worst_rows))
    return sorted(causes, key=lambda one: (-one.loss * one.lost, one.category, one.group))


def _lost(columns: RubricColumns, loser: Candidate) -> npt.NDArray[np.bool_]:
    own, other = (Outcome.B, Outcome.A) if loser == "B" else (Outcome.A, Outcome.B)
    passes = np.stack([columns.forward, columns.backward])
    lost: npt.NDArray[np.bool_] = (passes == other).any(axis=0) & ~(passes == own).any(axis=0)
    return lost & columns.scored
