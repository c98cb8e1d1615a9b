"""Other weights for the criteria, without asking the judge again.

Every row is judged again from its stored scores: the candidate with the higher weighted score wins,
equal scores tie, in whole numbers (docs/rubric.md). The details hold one rubric per row, the
forward pass's, so a reweighted verdict is the verdict of one order; it does not average out a
preference for the response shown first.
"""

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.errors import WeightingError
from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.rubric_columns import FULL_SCORE, RubricColumns, row_sums
from nova_judge.pairs.weighted_scores import SCORE_UNITS, WEIGHT_UNITS
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import CANDIDATES, scored_or_none
from nova_judge.statistics.arrays import Codes, Ints, Keys
from nova_judge.statistics.clusters import ClusterCounts, cluster_counts
from nova_judge.statistics.contest import contest_of_tally, decisive_rate_of, win_rate_of
from nova_judge.statistics.evidence import Basis
from nova_judge.statistics.outcomes import Outcome, ProfileCounts, ReconciledTally
from nova_judge.statistics.positions import positions
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.verdict import VerdictStated, state_verdict
from nova_judge.statistics.win_rate import Interval

_LARGEST_WEIGHT = 100


class Weighting(NamedTuple):
    """Weights by group in millionths, None for the judge's own; a group not kept has weight 0."""

    weights: Ints | None
    kept: npt.NDArray[np.bool_]


class Reweighed(NamedTuple):
    """Each row's verdict under a weighting (ERROR: no criterion with weight), and its scores.

    Scores are in [0, 1], margins A - B in [-1, 1]; NaN without a verdict.
    """

    verdicts: Codes
    margins: npt.NDArray[np.float64]
    A: npt.NDArray[np.float64]
    B: npt.NDArray[np.float64]


class ReweighedFigures(msgspec.Struct, frozen=True):
    """Figures of all rows under a weighting. `unscored` rows have no criterion with weight."""

    a: int
    b: int
    ties: int
    unscored: int
    win_rate: Interval | None
    win_rate_decisive: Interval | None
    verdict: VerdictStated
    margin: float | None
    same_as_judge: int
    flipped_by_judge: int


class Coverage(msgspec.Struct, frozen=True):
    """Share of the run that a group of criteria covers: of the rows, and of the judge's weight."""

    group: str
    members: tuple[str, ...]
    rows: int
    share_of_rows: float
    share_of_weight: float


def weighting(
    columns: RubricColumns,
    groups: CriterionGroups,
    *,
    weights: str = "",
    drop: str = "",
    only: str = "",
) -> Weighting:
    """The weighting that a user spells: `accuracy=0.6,completeness=0.4`, names to drop or to keep.

    With `weights`, criteria that are not named count nothing, and each row's weights are normalised
    over the named criteria it has. Without, the judge's own weights stay. Names may be any name of
    a group. Raises WeightingError.
    """
    codes = {group: code for code, group in enumerate(columns.groups)}

    def code(name: str) -> int:
        group = groups.group(name)
        if group not in codes:
            raise WeightingError(
                f"No row of this run has a criterion {name!r}. "
                f"It has: {', '.join(codes) or 'none'}{did_you_mean(name, codes) or '.'}"
            )
        return codes[group]

    kept = np.ones(len(codes), dtype=bool)
    if only:
        kept[:] = False
        kept[[code(name) for name in _names(only)]] = True
    kept[[code(name) for name in _names(drop)]] = False
    if not weights:
        return Weighting(None, kept)
    units = np.zeros(len(codes), dtype=np.int64)
    weighed: set[int] = set()
    for name in _names(weights):
        group, _, value = name.partition("=")
        place = code(group.strip())
        if place in weighed:
            raise WeightingError(f"{weights!r} weighs {columns.groups[place]!r} twice.")
        weighed.add(place)
        units[place] = _units(name, value)
    if not (units * kept).any():
        raise WeightingError(f"The weights {weights!r} leave no criterion with a weight above 0.")
    return Weighting(units, kept)


def judge_weighting(columns: RubricColumns) -> Weighting:
    """The judge's own weights for every criterion."""
    return Weighting(None, np.ones(len(columns.groups), dtype=bool))


def reweigh(columns: RubricColumns, chosen: Weighting) -> Reweighed:
    """Every row's verdict under a weighting; exact, and independent of the order of anything."""
    if chosen.weights is None:
        kept = chosen.kept[columns.group]
        whole = columns.per_row(columns.weight * kept) * SCORE_UNITS
        lead = columns.per_row(columns.weighted_lead * kept)
        scores = [columns.per_row(columns.weighted(side) * kept) for side in CANDIDATES]
    else:
        start, group, of_a, of_b = columns.by_group
        weight = (chosen.weights * chosen.kept).astype(np.float64)[group]
        whole = row_sums(start, weight) * FULL_SCORE
        lead = row_sums(start, weight * (of_a - of_b))
        scores = [row_sums(start, weight * of_one) for of_one in (of_a, of_b)]
    verdicts = np.full(columns.rows, Outcome.TIE, dtype=np.uint8)
    verdicts[lead > 0] = Outcome.A
    verdicts[lead < 0] = Outcome.B
    verdicts[whole == 0] = Outcome.ERROR
    with np.errstate(invalid="ignore"):
        return Reweighed(verdicts, lead / whole, scores[0] / whole, scores[1] / whole)


def figures(
    columns: RubricColumns,
    reweighed: Reweighed,
    settings: StatisticsSettings = DEFAULTS,
    prompts: Keys | None = None,
) -> ReweighedFigures:
    """Counts, win rate of B with interval, and verdict of a reweighing.

    `settings` are those of `settings_for` where a user chose the weights; `prompts` are the rows'
    keys, whose repeats are not further evidence.

    The rubrics are of the order A, B alone, so that a judge that favours a position beyond chance
    blocks the verdict: its preference and the candidates' difference are one figure here.
    """
    settings = blocked_by_position(columns, settings)
    tally = np.bincount(reweighed.verdicts, minlength=len(Outcome)).tolist()
    a, b, ties, unscored = (
        tally[code] for code in (Outcome.A, Outcome.B, Outcome.TIE, Outcome.ERROR)
    )
    margins = reweighed.margins[reweighed.verdicts != Outcome.ERROR]
    both_judged = (columns.forward != Outcome.ERROR) & (columns.backward != Outcome.ERROR)
    flipped = both_judged & (columns.forward != columns.backward)
    contest = contest_of_tally(
        ReconciledTally(a, b, ties, 0, unscored), _clusters(reweighed, prompts), Basis.REWEIGHED
    )
    return ReweighedFigures(
        a=a,
        b=b,
        ties=ties,
        unscored=unscored,
        win_rate=scored_or_none(win_rate_of(contest, settings)),
        win_rate_decisive=scored_or_none(decisive_rate_of(contest, settings)),
        verdict=state_verdict(contest, settings),
        margin=float(margins.mean()) if len(margins) else None,
        same_as_judge=int((reweighed.verdicts == columns.forward)[columns.scored].sum()),
        flipped_by_judge=int(flipped[columns.scored].sum()),
    )


def settings_for(columns: RubricColumns, settings: StatisticsSettings) -> StatisticsSettings:
    """The settings with the correction for weights that a user chose, who may have tried many."""
    looks = looks_at_weights(columns, settings.level)
    return msgspec.structs.replace(settings, looks=looks)


def _clusters(reweighed: Reweighed, prompts: Keys | None) -> ClusterCounts | None:
    if prompts is None:
        return None
    of_outcome = np.array([0.0, 1.0, 0.5, np.nan])
    leads = (reweighed.verdicts == Outcome.B).astype(np.int64) - (reweighed.verdicts == Outcome.A)
    return cluster_counts(prompts, of_outcome[reweighed.verdicts], leads)


def looks_at_weights(columns: RubricColumns, level: float = 0.95) -> float:
    """The factor on a p-value that allows for every choice of weights (Scheffe 1953).

    The level of a chi-square with as many degrees as there are criteria in a twentieth of the rows,
    against that of a normal; its quantile by Wilson and Hilferty (1931).
    """
    degrees = max(1, int(columns.main.sum()))
    normal = NormalDist()
    spread = 2.0 / (9.0 * degrees)
    quantile = degrees * (1.0 - spread + normal.inv_cdf(level) * math.sqrt(spread)) ** 3
    tail = 2.0 * normal.cdf(-math.sqrt(quantile))
    return max(1.0, (1.0 - level) / tail)


def blocked_by_position(columns: RubricColumns, settings: StatisticsSettings) -> StatisticsSettings:
    """The settings with a reason to conclude nothing, where the judge favours a position."""
    profiles = columns.forward.astype(np.int64) * len(Outcome) + columns.backward
    counted = np.bincount(profiles, minlength=len(Outcome) ** 2)
    favoured = positions(ProfileCounts(tuple(counted.tolist()))).favoured(settings.level)
    if favoured is None:
        return settings
    reason = f"the judge favours the answer shown {favoured}, and rubrics are of the order A, B"
    reasons = dict.fromkeys((*settings.blocked_by, reason))
    return msgspec.structs.replace(settings, blocked_by=tuple(reasons))


def coverage(columns: RubricColumns) -> list[Coverage]:
    """Coverage of each group, the widest first. Shares are of the rows with a rubric."""
    scored = int(columns.scored.sum())
    rows, share = columns.rows_of_group, weight_shares(columns)
    unordered = [
        Coverage(group, members, int(rows[code]), int(rows[code]) / scored, float(share[code]))
        for code, (group, members) in enumerate(zip(columns.groups, columns.members, strict=True))
    ]
    return sorted(unordered, key=lambda one: (-one.rows, one.group))


def weight_shares(columns: RubricColumns) -> npt.NDArray[np.float64]:
    """The mean share of the judge's weight that each group has over the rows with a rubric."""
    shares = columns.per_group(columns.weight / columns.row_weight)
    return shares / max(1, int(columns.scored.sum()))


def mean_weights(columns: RubricColumns) -> Ints:
    """The judge's mean weights by group in millionths that sum to a million exactly."""
    shares = weight_shares(columns) * WEIGHT_UNITS
    units = np.floor(shares).astype(np.int64)
    if units.sum():
        rest = WEIGHT_UNITS - int(units.sum())
        units[np.argsort(units - shares, kind="stable")[:rest]] += 1
    return units


def _names(listed: str) -> Iterable[str]:
    return (name.strip() for name in listed.split(",") if name.strip())


def _units(spelled: str, value: str) -> int:
    try:
        weight = Decimal(value.strip())
        if 0 <= weight <= _LARGEST_WEIGHT:
            return round(weight * WEIGHT_UNITS)
    except InvalidOperation:
        pass
    raise WeightingError(
        f"{spelled!r} is not `criterion=weight` with a weight from 0 to {_LARGEST_WEIGHT}."
    )
