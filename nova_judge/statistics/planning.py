"""How many pairs a question needs, and what a number of pairs can tell."""

import math
from typing import NamedTuple

from nova_judge.statistics.binomial import binomial_cdf, sign_test
from nova_judge.statistics.verdict import POWER, decisive_pairs


class Plan(NamedTuple):
    """Pairs for one question.

    difference: of the win rate of B from 1/2, among decided rows.
    decided_pairs: rows that both orders decide in the same way, by the normal approximation.
    exact_power: what the exact sign test then has.
    pairs: to be judged, when only the share `decided_share` of them is decided.
    smallest_significant: the fewest wins among the decided pairs that the test calls a difference.
    """

    difference: float
    level: float
    power: float
    decided_share: float
    decided_pairs: int
    exact_power: float
    pairs: int
    smallest_significant: int


def plan(
    difference: float, *, level: float = 0.95, power: float = POWER, decided_share: float = 1.0
) -> Plan:
    """Pairs that find a true win rate of 1/2 + `difference` among decided rows with `power`.

    `difference` in (0, 1/2], `decided_share` in (0, 1]: a judge with ties, flips and errors decides
    fewer rows than it sees; `nova-judge stats` prints the share of a finished run.
    """
    decided = decisive_pairs(0.5 + difference, level, power)
    if decided is None:
        raise ValueError("no number of pairs finds a difference of 0")
    threshold = smallest_significant(decided, level)
    return Plan(
        difference=difference,
        level=level,
        power=power,
        decided_share=decided_share,
        decided_pairs=decided,
        exact_power=power_of(decided, difference, level),
        pairs=math.ceil(decided / decided_share - 1e-9),
        smallest_significant=threshold,
    )


def detectable_difference(pairs: int, *, level: float = 0.95, power: float = POWER) -> float | None:
    """The smallest difference that `pairs` decided rows find with `power`, None without one."""
    if power_of(pairs, 0.5, level) < power:
        return None
    low, high = 0.0, 0.5
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if power_of(pairs, middle, level) >= power else (middle, high)
    return high


def power_of(pairs: int, difference: float, level: float = 0.95) -> float:
    """The power of the exact two-sided sign test on `pairs` decided rows."""
    wins = smallest_significant(pairs, level)
    if wins > pairs:
        return 0.0
    share = 0.5 + difference
    if share >= 1.0:
        return 1.0
    above = 1.0 - binomial_cdf(wins - 1, pairs, share)
    return above + binomial_cdf(pairs - wins, pairs, share)


def smallest_significant(pairs: int, level: float = 0.95) -> int:
    """The fewest wins of `pairs` that are a significant majority; pairs + 1 where none is."""
    low, high = pairs // 2, pairs + 1
    while high - low > 1:
        middle = (low + high) // 2
        if sign_test(middle, pairs - middle) < 1.0 - level:
            high = middle
        else:
            low = middle
    return high
