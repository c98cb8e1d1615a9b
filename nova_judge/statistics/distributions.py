"""The binomial and Student's t distribution, without scipy, and the tests by signs.

The sign-flip test: is a sum of independent differences further from 0 than chance would have it? If
neither side is better, each difference is as likely to be its negative. With differences of -1 and
1 that is the exact sign test, and McNemar's on right and wrong answers. Computed, not sampled.
"""

import functools
import math
from statistics import NormalDist

import numpy as np

from nova_judge.statistics.arrays import Floats, Ints

__all__ = [
    "binomial_cdf",
    "flip_test_of_counts",
    "flip_test_of_values",
    "sign_test",
    "student_p_value",
    "student_quantile",
]

_REACH = math.sqrt(2.0 * 18.0 * math.log(10.0))
_TINY = 1e-300
_STEPS = 500
_LARGEST_SUM = 200_000
_ROUNDING = 1e-9


def binomial_cdf(successes: int, trials: int, share: float) -> float:
    """P(X <= successes) for X ~ Binomial(trials, share), 0 < share < 1.

    The terms are summed from the largest of the tail downwards by their ratios, so that no term
    over- or underflows: relative error below 1e-9 up to a million trials. The k-th is at most
    exp(-k (k - 1) / 2 / successes) of the first, so that those beyond 1e-18 of it are left out.

    >>> round(binomial_cdf(2, 4, 0.5), 4)
    0.6875
    """
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    if successes > trials * share:
        return 1.0 - binomial_cdf(trials - successes - 1, trials, 1.0 - share)
    last = max(0, successes - math.ceil(_REACH * math.sqrt(successes)) - 1)
    below = np.arange(successes, last, -1, dtype=np.float64)
    ratios = below / (trials - below + 1.0) * ((1.0 - share) / share)
    series = 1.0 + float(np.cumprod(ratios).sum())
    return min(1.0, math.exp(_log_probability(successes, trials, share)) * series)


def _log_probability(successes: int, trials: int, share: float) -> float:
    log_choose = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    )
    return log_choose + successes * math.log(share) + (trials - successes) * math.log1p(-share)


def sign_test(first: int, second: int) -> float:
    """Two-sided exact p-value that both are equally likely, given these two counts.

    >>> round(sign_test(8, 2), 4), sign_test(5, 5)
    (0.1094, 1.0)
    """
    return min(1.0, 2.0 * binomial_cdf(min(first, second), first + second, 0.5))


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


def flip_test_of_counts(differences: Ints) -> float:
    """Two-sided p-value of whole-number differences, exactly.

    Beyond a total of 200,000 the normal distribution stands in for the exact one; they agree to
    1e-3 of the p-value there.

    >>> flip_test_of_counts(np.array([3, 2, 2, 1, 1]))
    0.0625
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    if not len(sizes):
        return 1.0
    reached = abs(int(differences.sum()))
    if len(sizes) == 1:
        ahead = (reached // int(sizes[0]) + int(counts[0])) // 2
        return sign_test(ahead, int(counts[0]) - ahead)
    if int(sizes @ counts) > _LARGEST_SUM:
        spread = math.sqrt(float((sizes.astype(np.float64) ** 2) @ counts))
        return min(1.0, 2.0 * NormalDist().cdf(-reached / spread))
    chances = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        steps = np.zeros(2 * size * count + 1)
        steps[:: 2 * size] = _fair_coins(count)
        chances = _convolved(chances, steps)
    middle = len(chances) // 2
    at_least = chances[middle + reached :].sum() + chances[: middle - reached + 1].sum()
    return min(1.0, float(at_least)) if reached else 1.0


def flip_test_of_values(differences: Floats) -> float:
    """Two-sided p-value of at most 18 differences that are not 0, over all their signs.

    >>> flip_test_of_values(np.array([0.5, 0.25, 0.1]))
    0.25
    """
    moved = differences[differences != 0]
    sums = np.zeros(1)
    for value in np.sort(np.abs(moved)):
        sums = np.concatenate([sums - value, sums + value])
    reached = abs(math.fsum(moved)) * (1.0 - _ROUNDING)
    return float((np.abs(sums) >= reached).mean())


def _fair_coins(count: int) -> Floats:
    """The probabilities of 0 .. count heads."""
    heads = np.arange(1, count + 1, dtype=np.float64)
    logs = np.concatenate(([0.0], np.cumsum(np.log((count - heads + 1.0) / heads))))
    probabilities: Floats = np.exp(logs - count * math.log(2.0))
    return probabilities


def _convolved(first: Floats, second: Floats) -> Floats:
    if min(len(first), len(second)) < 500:
        return np.convolve(first, second)
    size = len(first) + len(second) - 1
    padded = 1 << (size - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(first, padded) * np.fft.rfft(second, padded), padded)
    return np.maximum(product[:size], 0.0)
