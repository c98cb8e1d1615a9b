"""One decision for every surface: verdict, gate, categories, criteria, leaderboard and compare.

A side is named only where three readings agree: the test, the interval, which must lie wholly on
that side of the centre, and the bounds of what the lost orders could have said. Each of them alone
would name a wrong side in at most 1 - level of runs; together they never contradict one another in
one report. The tests of several comparisons are corrected by Holm's step-down rule (1979).
"""

import enum
from typing import Protocol

from nova_judge.statistics.dirichlet_mean import Bounds

__all__ = ["decide", "equivalent", "holm"]


class Word(enum.StrEnum):
    """Statement that may be made of two candidates."""

    A_BETTER = "A better"
    B_BETTER = "B better"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"


class Estimated(Protocol):
    """An estimate with the ends of its interval."""

    @property
    def estimate(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def decide(
    p_value: float,
    interval: Estimated,
    *,
    level: float = 0.95,
    centre: float = 0.5,
    lost: Bounds | None = None,
) -> Word:
    """The side that test and interval name together, on a scale where more speaks for B.

    `lost` holds the estimate with every lost order given to A, and with every one given to B.

    >>> from nova_judge.statistics.win_rate import wilson
    >>> decide(0.004, wilson(75, 100)).value, decide(0.2, wilson(56, 100)).value
    ('B better', 'inconclusive')
    """
    least = min(interval.low, interval.estimate, lost.low if lost else interval.low)
    most = max(interval.high, interval.estimate, lost.high if lost else interval.high)
    if p_value >= 1.0 - level:
        return Word.INCONCLUSIVE
    if least > centre:
        return Word.B_BETTER
    if most < centre:
        return Word.A_BETTER
    return Word.INCONCLUSIVE


def equivalent(inner: Estimated, margin: float, lost: Bounds | None = None) -> bool:
    """True if the interval of two one-sided tests and the lost orders stay within 1/2 +- margin.

    >>> from nova_judge.statistics.win_rate import wilson
    >>> equivalent(wilson(500, 1000), 0.05), equivalent(wilson(5, 10), 0.05)
    (True, False)
    """
    least = min(inner.low, lost.low if lost else inner.low)
    most = max(inner.high, lost.high if lost else inner.high)
    return 0.5 - margin <= least and most <= 0.5 + margin


def holm(p_values: list[float]) -> list[float]:
    """P-values after Holm's step-down correction, in the order given.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected
