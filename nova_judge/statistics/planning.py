"""Plan the number of pairs that a question needs, and what a number of pairs can show."""

import functools
import math
from statistics import NormalDist

import msgspec

from nova_judge.statistics.distributions import binomial_cdf, sign_test
from nova_judge.statistics.sequential import anytime_p_value

__all__ = [
    "decisive_pairs",
    "decisive_pairs_anytime",
    "detectable_difference",
    "plan",
    "power_of",
    "smallest_significant",
]

POWER = 0.8
_MOST_PAIRS = 4_000_000


class SamplePlan(msgspec.Struct, frozen=True):
    """Pairs for one question.

    difference: of the win rate of B from 1/2, among decided rows.
    decided_pairs: rows that both orders decide in the same way, with at least the `power` asked.
    exact_power: what the exact sign test has with them.
    prompts: to be judged, when only the share `decided_share` of their rows is decided.
    pairs: rows to be judged, `samples` per prompt.
    smallest_significant: the fewest wins among the decided pairs that the test calls a difference.
    """

    difference: float
    level: float
    power: float
    decided_share: float
    decided_pairs: int
    exact_power: float
    prompts: int
    samples: int
    pairs: int
    smallest_significant: int


def plan(
    difference: float,
    *,
    level: float = 0.95,
    power: float = POWER,
    decided_share: float = 1.0,
    samples: int = 1,
    correlation: float = 1.0,
) -> SamplePlan:
    """Pairs that find a true win rate of 1/2 + `difference` among decided rows with `power`.

    `difference` in (0, 1/2], `decided_share` in (0, 1]: a judge with ties, flips and errors decides
    fewer rows than it sees; `nova-judge stats` prints the share of a finished run. With several
    `samples` of a prompt, `correlation` is how alike their scores are: 1 makes them one row, 0 as
    good as different prompts (Kish's design effect, 1 + (samples - 1) correlation).

    >>> plan(0.05).decided_pairs, plan(0.05, decided_share=0.5).pairs
    (786, 1572)
    """
    decided = decisive_pairs(0.5 + difference, level, power)
    if decided is None:
        raise ValueError("no number of pairs finds a difference of 0")
    effect = 1.0 + (samples - 1) * correlation
    prompts = math.ceil(decided / decided_share * effect / samples - 1e-9)
    return SamplePlan(
        difference=difference,
        level=level,
        power=power,
        decided_share=decided_share,
        decided_pairs=decided,
        exact_power=power_of(decided, difference, level),
        prompts=prompts,
        samples=samples,
        pairs=prompts * samples,
        smallest_significant=smallest_significant(decided, level),
    )


def decisive_pairs(share: float, level: float = 0.95, power: float = POWER) -> int | None:
    """Decided rows at which the exact sign test finds a true `share` of wins; None at 1/2.

    Searched upwards from the normal approximation (z_level + z_power)^2 / (4 d^2), for a distance d
    of the share from 1/2, until the exact power is there. None beyond four million.

    >>> decisive_pairs(0.6)
    199
    """
    distance = abs(share - 0.5)
    if distance == 0:
        return None
    normal = NormalDist()
    z = normal.inv_cdf((1.0 + level) / 2.0) + normal.inv_cdf(power)
    pairs = math.ceil(z * z / (4.0 * distance * distance) - 1e-9)
    while pairs <= _MOST_PAIRS and power_of(pairs, distance, level) < power:
        pairs += max(1, pairs // 1000)
    return pairs if pairs <= _MOST_PAIRS else None


def decisive_pairs_anytime(share: float, level: float = 0.95) -> int | None:
    """Decided rows by which the anytime-valid test finds a true `share`, in a single look at them.

    At 80 % power; looks before can only find it sooner. None at 1/2 and beyond four million.

    >>> decisive_pairs_anytime(0.6) > decisive_pairs(0.6)
    True
    """
    distance = abs(share - 0.5)
    if distance == 0:
        return None
    high = decisive_pairs(share, level) or _MOST_PAIRS
    while high < _MOST_PAIRS and power_of(high, distance, level, anytime=True) < POWER:
        high *= 2
    if high >= _MOST_PAIRS:
        return None
    low = high // 2
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        enough = power_of(middle, distance, level, anytime=True) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def detectable_difference(
    pairs: int, *, level: float = 0.95, power: float = POWER, anytime: bool = False
) -> float | None:
    """The smallest difference that `pairs` decided rows find with `power`, None without one.

    By the exact sign test, or by a single look of the anytime-valid one.

    >>> round(detectable_difference(199), 3), round(detectable_difference(199, anytime=True), 3)
    (0.1, 0.134)
    """
    wins = smallest_significant(pairs, level, anytime=anytime)
    if _power(pairs, wins, 0.5) < power:
        return None
    low, high = 0.0, 0.5
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if _power(pairs, wins, middle) >= power else (middle, high)
    return high


def power_of(pairs: int, difference: float, level: float = 0.95, *, anytime: bool = False) -> float:
    """The power of the exact two-sided sign test on `pairs` decided rows, or of the anytime-valid.

    >>> round(power_of(199, 0.1), 3), power_of(199, 0.1, anytime=True) < power_of(199, 0.1)
    (0.804, True)
    """
    return _power(pairs, smallest_significant(pairs, level, anytime=anytime), difference)


@functools.lru_cache(maxsize=1024)
def smallest_significant(pairs: int, level: float = 0.95, *, anytime: bool = False) -> int:
    """The fewest wins of `pairs` that are a significant majority; pairs + 1 where none is.

    >>> smallest_significant(10), smallest_significant(5), smallest_significant(20, anytime=True)
    (9, 6, 18)
    """
    p_value = anytime_p_value if anytime else sign_test
    low, high = pairs // 2, pairs + 1
    while high - low > 1:
        middle = (low + high) // 2
        decides = p_value(middle, pairs - middle) < 1.0 - level
        low, high = (low, middle) if decides else (middle, high)
    return high


def _power(pairs: int, wins: int, difference: float) -> float:
    if wins > pairs:
        return 0.0
    share = 0.5 + difference
    if share >= 1.0:
        return 1.0
    above = 1.0 - binomial_cdf(wins - 1, pairs, share)
    return above + binomial_cdf(pairs - wins, pairs, share)
