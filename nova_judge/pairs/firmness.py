"""Firmness of a verdict against other weights of the criteria, and the criteria that drive it.

The leader is the candidate that wins more rows. Two questions: how far one criterion's weight must
move (the others keep their proportions) until the other candidate leads, exactly; and under which
share of all weightings each candidate leads, by sampling weightings uniformly on the simplex.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.pairs.criterion_weights import mean_weights
from nova_judge.pairs.rubric_columns import RubricColumns, row_sums
from nova_judge.pairs.weighted_scores import SCORE_UNITS, WEIGHT_UNITS
from nova_judge.records import Candidate
from nova_judge.statistics.arrays import Floats, Ints
from nova_judge.statistics.outcomes import Outcome

_CHUNK = 4_000
_BEYOND_NOISE = 1.96
WORST_SHOWN = 3
NO_CATEGORY = "(none)"


class Turn(msgspec.Struct, frozen=True):
    """A move of one group's weight, as shares of all weight, after which the other one leads.

    `change` is the share of all weight that has to move.
    """

    group: str
    weight: float
    turns_at: float
    change: float


class Firmness(msgspec.Struct, frozen=True):
    """Leader at the judge's mean weights, what turns that, and the leaders under other weights.

    `turns` are the moves of one criterion that turn the lead, the smallest first. `share_a` and the
    others are shares of `weightings` sampled with `seed` under which a candidate leads by more than
    the noise of its rows (1.96 standard errors of a fair coin), or neither does. Groups in fewer
    than a twentieth of the rows share one weight, as `rare`.
    """

    leader: Candidate | None
    turns: tuple[Turn, ...]
    share_a: float
    share_b: float
    share_level: float
    weightings: int
    seed: int
    rare: tuple[str, ...]


def firmness(columns: RubricColumns, *, weightings: int = 1_000, seed: int = 0) -> Firmness | None:
    """The firmness of the lead; None where no row has a rubric."""
    if not columns.scored.any():
        return None
    weights = mean_weights(columns)
    main = columns.main
    leads = _leads(columns, main, _sampled(int(main.sum()), weightings, seed))
    net = -int(np.sign(_totals(columns, weights)).sum())
    turns = [
        turn for code in np.flatnonzero(main) if (turn := _turn(columns, weights, int(code), net))
    ]
    return Firmness(
        leader="B" if net > 0 else "A" if net < 0 else None,
        turns=tuple(sorted(turns, key=lambda turn: (turn.change, turn.group))),
        share_a=float((leads < 0).mean()),
        share_b=float((leads > 0).mean()),
        share_level=float((leads == 0).mean()),
        weightings=weightings,
        seed=seed,
        rare=tuple(g for g, kept in zip(columns.groups, main, strict=True) if not kept),
    )


def _sampled(main: int, weightings: int, seed: int) -> Floats:
    """Weightings in millionths, one a column, uniform over the main groups and one for the rest."""
    drawn = np.random.default_rng(seed).dirichlet(np.ones(main + 1), size=weightings)
    units: Floats = np.rint(drawn.T * WEIGHT_UNITS)
    return units


def _leads(columns: RubricColumns, main: npt.NDArray[np.bool_], sampled: Floats) -> Ints:
    """Rows that B wins less rows that A wins, for each weighting; 0 where that is noise.

    Sums of integers, so exact.
    """
    column = np.where(main, np.cumsum(main) - 1, main.sum())
    leads = np.zeros(sampled.shape[1], dtype=np.int64)
    decided = np.zeros(sampled.shape[1], dtype=np.int64)
    for first in range(0, columns.rows, _CHUNK):
        last = min(first + _CHUNK, columns.rows)
        margins = _dense(columns, column, first, last, width=len(sampled)) @ sampled
        of_a, of_b = (margins > 0).sum(axis=0), (margins < 0).sum(axis=0)
        leads += of_b - of_a
        decided += of_a + of_b
    return np.where(leads**2 > _BEYOND_NOISE**2 * decided, leads, 0)


def _dense(columns: RubricColumns, column: Ints, first: int, last: int, width: int) -> Floats:
    """A - B of each row on each main group, 0 where it has none; the last column adds the rest."""
    start, group, of_a, of_b = columns.by_group
    at = slice(start[first], start[last])
    rows = np.repeat(np.arange(last - first), np.diff(start[first : last + 1]))
    dense = np.zeros((last - first, width))
    np.add.at(dense, (rows, column[group[at]]), of_a[at] - of_b[at])
    return dense


def _totals(columns: RubricColumns, weights: Ints) -> Floats:
    """The weighted margin of each row: whole numbers, positive where A leads."""
    start, group, of_a, of_b = columns.by_group
    return row_sums(start, (weights[group] * (of_a - of_b)).astype(np.float64))


def _turn(columns: RubricColumns, weights: Ints, code: int, net: int) -> Turn | None:
    """The nearest weight of one group at which the other candidate leads.

    With the weight at t a row's margin is t d + (1 - t) r, d its margin on the group and r its mean
    margin on the others; it changes sign once, at r / (r - d). Sweeping these points outwards from
    the present weight counts who leads behind each.
    """
    present = float(weights[code]) / WEIGHT_UNITS
    if net == 0 or present >= 1:
        return None
    total = _totals(columns, weights)
    own = _totals(columns, (np.arange(len(weights)) == code).astype(np.int64))
    others = (total - weights[code] * own) / (WEIGHT_UNITS - weights[code])
    moving = own != others
    crossing = others[moving] / (others[moving] - own[moving])
    now = np.sign(total[moving])
    up = _first_turn(crossing - present, np.sign(own[moving]) - now, net)
    down = _first_turn(present - crossing, np.sign(others[moving]) - now, net)
    moves = [present + up] if up is not None and present + up <= 1 else []
    moves += [present - down] if down is not None and down <= present else []
    if not moves:
        return None
    nearest = float(min(moves, key=lambda weight: abs(weight - present)))
    return Turn(columns.groups[code], present, nearest, abs(nearest - present))


def _first_turn(distance: Floats, change: Floats, net: int) -> float | None:
    """The least distance behind which the lead has the other sign; margins favour A."""
    ahead = distance >= 0
    order = np.argsort(distance[ahead], kind="stable")
    at = distance[ahead][order]
    after = net - np.cumsum(change[ahead][order])
    last_of_equal = np.append(at[1:] != at[:-1], True) if len(at) else np.zeros(0, dtype=bool)
    turned = np.flatnonzero(last_of_equal & (np.sign(after) == -np.sign(net)))
    return float(at[turned[0]]) if len(turned) else None


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
    return np.asarray(columns.weighted_lead / (columns.row_weight * SCORE_UNITS))


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
