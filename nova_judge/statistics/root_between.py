"""The root of an increasing function on [0, 1], of which each value costs an integral."""

from collections.abc import Callable
from typing import NamedTuple

_EDGE = 1e-13
_TOLERANCE = 1e-10
_MAX_STEPS = 100


class End(NamedTuple):
    """An end of an interval and the function's value there."""

    at: float
    value: float


def end_of(function: Callable[[float], float], centre: float, width: float) -> End:
    """The end of an interval beyond which the root cannot lie, never beyond [0, 1].

    `width` is negative for the lower end, and doubles until it is far enough.
    """
    while True:
        at = min(1.0 - _EDGE, max(_EDGE, centre + width))
        end = End(at, function(at))
        if end.value * width >= 0 or at in (_EDGE, 1.0 - _EDGE):
            return end
        width *= 2


def root_between(function: Callable[[float], float], low: End, high: End) -> float:
    """An increasing function's root between two ends; one of them where it is not between.

    By Anderson and Björck's rule (1973, BIT 13): an end that stays for the second time counts for
    less, by how much nearer to the root the other one came.
    """
    if low.value >= 0 or high.value <= 0:
        return low.at if low.value >= 0 else high.at
    stayed = 0
    for _ in range(_MAX_STEPS):
        at = (low.at * high.value - high.at * low.value) / (high.value - low.value)
        middle = End(at, function(at))
        if abs(middle.value) < _TOLERANCE or high.at - low.at < _TOLERANCE:
            return at
        if middle.value < 0:
            low, high = middle, _lessened(high, low, middle) if stayed > 0 else high
            stayed = 1
        else:
            low, high = _lessened(low, high, middle) if stayed < 0 else low, middle
            stayed = -1
    return (low.at + high.at) / 2


def _lessened(end: End, left: End, middle: End) -> End:
    share = 1.0 - middle.value / left.value
    return End(end.at, end.value * (share if share > 0 else 0.5))
