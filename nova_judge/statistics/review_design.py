"""Rows drawn for people to label: half by chance alone, half where labels help most.

Every row's probability is known before anybody looks: `budget / 2 / rows` for the simple random
half, and for the other half in proportion to how much a label of it is expected to tell. One
systematic draw over the rows in random order takes exactly `budget` rows with these probabilities
(Madow 1949), which is what the correction by inverse probabilities needs (`corrected_win_rate`).
"""

import math

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats, RowIndices
from nova_judge.statistics.corrected_win_rate import corrected_win_rate

__all__ = ["drawn_rows", "expected_reach", "inclusion_probabilities"]

LEAST_SIZE = 0.3
_TRIALS = 24
_ROUND_ERROR = 1e-9


def inclusion_probabilities(usefulness: Floats, budget: int) -> Floats:
    """The probability of every row to be drawn; they add up to the budget, or to all rows.

    usefulness: 0 to 1 per row, 1 where a label tells most; NaN for rows that are not to be drawn.

    >>> inclusion_probabilities(np.array([1.0, 0.0, 0.0, np.nan]), 2).round(2).tolist()
    [0.96, 0.52, 0.52, 0.0]
    """
    possible = ~np.isnan(usefulness)
    count = int(possible.sum())
    probabilities = np.zeros(len(usefulness))
    if budget >= count:
        probabilities[possible] = 1.0
        return probabilities
    sizes = LEAST_SIZE + (1.0 - LEAST_SIZE) * usefulness[possible]
    chances = budget / 2 / count + budget / 2 * sizes / sizes.sum()
    while (over := chances > 1.0).any():
        chances[over] = 1.0
        certain = chances >= 1.0
        chances[~certain] *= (budget - certain.sum()) / chances[~certain].sum()
    probabilities[possible] = chances
    return probabilities


def drawn_rows(probabilities: Floats, seed: int) -> RowIndices:
    """The numbers of the drawn rows, in random order: whoever stops early has a random part.

    >>> sorted(drawn_rows(np.array([1.0, 0.5, 0.5, 0.0]), seed=0).tolist())
    [0, 1]
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(probabilities))
    reached = np.cumsum(probabilities[order]) + generator.random()
    steps = np.floor(reached + _ROUND_ERROR)
    before = np.concatenate([[0.0], steps[:-1]])
    drawn: RowIndices = generator.permutation(order[steps > before])
    return drawn


def expected_reach(
    scores: Floats, probabilities: Floats, agreement: float, level: float = 0.95
) -> float | None:
    """Half the width of the corrected interval that a review by this design can expect.

    agreement: the share of rows with a clear verdict on which people are assumed to say the same as
    the judge; on the others they are assumed to split evenly. The mean over simulated reviews; None
    where the labels would be too few.

    >>> scores, chances = np.tile([0.0, 1.0], 100), np.full(200, 0.4)
    >>> round(expected_reach(scores, chances, agreement=0.9), 2)
    0.09
    """
    generator = np.random.default_rng(0)
    reaches = []
    for _ in range(_TRIALS):
        agreed = generator.random(len(scores)) < agreement
        of_judge = np.where(generator.random(len(scores)) < scores, 1.0, 0.0)
        of_people = np.where(agreed, of_judge, 1.0 - of_judge)
        labels = np.full(len(scores), np.nan)
        drawn = drawn_rows(probabilities, int(generator.integers(1 << 32)))
        labels[drawn] = of_people[drawn]
        found = corrected_win_rate(scores, labels, probabilities, level=level)
        if isinstance(found, Unscored):
            return None
        reaches.append((found.high - found.low) / 2)
    return math.fsum(reaches) / len(reaches)
