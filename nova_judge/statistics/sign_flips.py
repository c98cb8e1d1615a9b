"""The sign-flip test: is a sum of independent differences further from 0 than chance would have it?

If neither side is better, each difference is as likely to be its negative. With differences of -1
and 1 that is the exact sign test, and McNemar's on right and wrong answers. Computed, not sampled.
"""

import math
from statistics import NormalDist

import numpy as np

from nova_judge.statistics.arrays import Floats, Ints
from nova_judge.statistics.binomial import sign_test

__all__ = ["flip_test_of_counts", "flip_test_of_values"]

_LARGEST_SUM = 200_000
_ROUNDING = 1e-9


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
