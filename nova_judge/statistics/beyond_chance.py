"""Agreement beyond chance that does not collapse where one label is rare, and that of reviewers.

Gwet's AC1 (2008, Br. J. Math. Stat. Psychol. 61) stands beside kappa: chance is taken for rows on
which a rater guesses, not for the product of the margins, so that 94 % of labels on one side leave
something to agree on. Krippendorff's alpha says how far reviewers agree, when not everybody saw
every row.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import msgspec
import numpy as np

from nova_judge.statistics.arrays import Floats, Ints
from nova_judge.statistics.clusters import worth_of
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.win_rate import Interval, wilson

__all__ = ["gwet_ac1", "nominal_alpha"]

MIN_LABELLED = 20
METHOD = "the wider of Gwet's variance (one observation added twice) and Wilson's of the agreement"


class BeyondChance(msgspec.Struct, frozen=True):
    """Agreement beyond chance with its interval, None where labels are too few for one."""

    estimate: float
    low: float | None
    high: float | None
    level: float
    method: str


def gwet_ac1(
    table: Ints, level: float = 0.95, by_prompt: Ints | None = None
) -> BeyondChance | None:
    """AC1 of counts by label and verdict, over the categories that occur; None without two.

    `by_prompt` are the tables of the prompts where these repeat: the interval is then that of as
    many rows as these are worth.

    >>> table = np.array([[45, 5, 0], [3, 2, 0], [0, 0, 0]])
    >>> round(gwet_ac1(table).estimate, 3)
    0.819
    """
    used = (table.sum(axis=0) + table.sum(axis=1)) > 0
    counts = table[np.ix_(used, used)].astype(np.float64)
    rows = int(counts.sum())
    if rows == 0 or len(counts) < 2:
        return None
    estimate, chance = _estimate(counts / rows)
    worth, degrees = float(rows), rows - 1
    if by_prompt is not None:
        cells = by_prompt[:, used][:, :, used].reshape(len(by_prompt), -1)
        pull = _pull(counts / rows) - estimate
        worth, degrees = worth_of(cells, pull.ravel()), len(cells) - 1
    if worth < MIN_LABELLED:
        return BeyondChance(estimate, None, None, level, METHOD)
    counts *= worth / rows
    by_row, by_column = counts.sum(axis=1) / worth, counts.sum(axis=0) / worth
    smoothed = counts + np.diag((by_row + by_column) / 2.0) + np.outer(by_row, by_column)
    centre, _ = _estimate(smoothed / smoothed.sum())
    reach = student_quantile(level, degrees) * math.sqrt(_variance(smoothed))
    share = wilson(float(np.trace(counts)), worth, level)
    assert isinstance(share, Interval)  # noqa: S101 (there are rows)
    ends = [(end - chance) / (1.0 - chance) for end in (share.low, share.high)]
    low, high = min(estimate, centre - reach, ends[0]), max(estimate, centre + reach, ends[1])
    return BeyondChance(estimate, max(-1.0, low), min(1.0, high), level, METHOD)


def _estimate(shares: Floats) -> tuple[float, float]:
    """AC1, and the agreement by chance."""
    margins = (shares.sum(axis=1) + shares.sum(axis=0)) / 2.0
    chance = float(margins @ (1.0 - margins)) / (len(shares) - 1)
    return (float(np.trace(shares)) - chance) / (1.0 - chance), chance


def _variance(counts: Floats) -> float:
    total = float(counts.sum())
    shares = counts / total
    return float((shares * (_pull(shares) - _estimate(shares)[0]) ** 2).sum()) / (total - 1.0)


def _pull(shares: Floats) -> Floats:
    """AC1 and what a row of each cell adds to it."""
    margins = (shares.sum(axis=1) + shares.sum(axis=0)) / 2.0
    estimate, chance = _estimate(shares)
    of_row = ((1.0 - margins)[:, None] + (1.0 - margins)[None, :]) / 2.0 / (len(shares) - 1)
    agreed = (np.eye(len(shares)) - chance) / (1.0 - chance)
    pull: Floats = agreed - 2.0 * (1.0 - estimate) * (of_row - chance) / (1.0 - chance)
    return pull


def nominal_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha for categories without an order, from what was said of each unit.

    1 - observed / expected disagreement (Krippendorff 2011). Units with fewer than two sayings take
    no part. None without any, or where all say one thing everywhere.

    >>> round(nominal_alpha(["AA", "AB", "BB", "BB"]), 3)
    0.533
    """
    totals: Counter[Hashable] = Counter()
    disagreed = 0.0
    for said in units:
        if len(said) < 2:
            continue
        counts = Counter(said)
        totals.update(counts)
        pairs = len(said) ** 2 - sum(count**2 for count in counts.values())
        disagreed += pairs / (len(said) - 1)
    values = sum(totals.values())
    expected = values**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    return 1.0 - disagreed / expected * (values - 1)
