"""Student's t distribution without scipy."""

import functools
import math
from statistics import NormalDist

__all__ = ["student_p_value", "student_quantile"]

_TINY = 1e-300
_STEPS = 500


def student_p_value(statistic: float, degrees: float) -> float:
    """P(|T| >= |statistic|) for T with `degrees` of freedom, by the incomplete beta function.

    >>> round(student_p_value(2.776, 4), 3)
    0.05
    """
    if math.isinf(statistic):
        return 0.0
    return _incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + statistic * statistic))


@functools.cache
def student_quantile(level: float, degrees: float) -> float:
    """The two-sided quantile of t with `degrees` of freedom for an interval at `level`.

    By bisection of `student_p_value`, right to 1e-9.

    >>> round(student_quantile(0.95, 4), 3)
    2.776
    """
    tail = 1.0 - level
    low, high = 0.0, 2.0 * NormalDist().inv_cdf((1.0 + level) / 2.0) + 1.0
    while student_p_value(high, degrees) > tail:
        low, high = high, 2.0 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2.0
        low, high = (middle, high) if student_p_value(middle, degrees) > tail else (low, middle)
    return (low + high) / 2.0


def normal_level(level: float, degrees: float) -> float:
    """The level at which a normal interval is as wide as Student's at `level`."""
    return 2.0 * NormalDist().cdf(student_quantile(level, degrees)) - 1.0


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function (continued fraction, Lentz's method)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    fraction, above, below = 1.0, 1.0, 0.0
    for step in range(_STEPS):
        m = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        below = 1.0 / _kept(1.0 + term * below)
        above = _kept(1.0 + term / above)
        fraction *= above * below
        if abs(above * below - 1.0) < 1e-15:
            break
    return front * (fraction - 1.0) / a


def _kept(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
