"""The distribution of a mean under Dirichlet weights, computed and not sampled.

The mean sum(w_i v_i) with w ~ Dirichlet(a) lies below t exactly when sum(G_i (v_i - t)) <= 0 for
independent G_i ~ Gamma(a_i). That probability is an integral over the characteristic function
(Gil-Pelaez 1951, Imhof 1961, Biometrika 48), which a double-exponential grid sums to 1e-9 for all
but the most one-sided data. No seed, no resampling noise, cost independent of the counts.

With `sizes`, the same of the ratio sum(w_i v_i) / sum(w_i s_i): clusters of s_i rows whose scores
add up to v_i, where the mean is taken over rows and clusters are what is drawn. Values of many
rows, or sums of many prompts, are merged to few weighted ones where they are alike.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.root_between import end_of, root_between

__all__ = ["mean_bounds", "mean_cdf", "quantile"]

MOST_SUMS = 2_000
_MOST_VALUES = 200
_FEWEST_OF_SIZE = 20


def values_and_rows(shares: Floats, most: int = _MOST_VALUES) -> tuple[Floats, Floats]:
    """The values and the rows of each; where more than `most` differ, the means of so many parts.

    Means keep the mean of all rows, and what varies within a part is too little to be seen.
    """
    values, counts = np.unique(shares, return_counts=True)
    rows = counts.astype(np.float64)
    if len(values) <= most:
        return values, rows
    part = np.floor((values - values[0]) / (values[-1] - values[0]) * most)
    first = np.flatnonzero(np.diff(part, prepend=-1.0))
    in_part = np.add.reduceat(rows, first)
    return np.add.reduceat(values * rows, first) / in_part, in_part


def sums_and_prompts(sums: Floats, sizes: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums and sizes of prompts, and the prompts of each: those of one size and of near means."""
    kinds = np.unique(sizes)
    most = min(_MOST_VALUES, max(_FEWEST_OF_SIZE, MOST_SUMS // len(kinds)))
    merged = [values_and_rows(sums[sizes == size] / size, most) for size in kinds]
    of_kind = np.repeat(kinds, [len(means) for means, _ in merged])
    means = np.concatenate([means for means, _ in merged])
    return means * of_kind, of_kind, np.concatenate([prompts for _, prompts in merged])


class Bounds(NamedTuple):
    """The lower and the upper end of an interval."""

    low: float
    high: float


def _double_exponential_grid() -> tuple[Floats, Floats]:
    steps = np.linspace(-3.4, 34.0, 800)
    nodes = np.exp(steps - np.exp(-steps))
    return nodes, (steps[1] - steps[0]) * (1.0 + np.exp(-steps))


_NODES, _NODE_WEIGHTS = _double_exponential_grid()
_NORMAL = NormalDist()
_LEAST_TAIL = 1e-16
_LEAST_LOG, _LARGEST_EXPONENT = 45.0, 700.0
"""Nodes at which the integrand is smaller than exp(-45) add nothing to a probability."""


def mean_cdf(
    threshold: float, values: Floats, weights: Floats, sizes: Floats | float = 1.0
) -> float:
    """P(mean <= threshold) for values in [0, 1] (in [0, size]) under Dirichlet(weights).

    `values` and `weights` are equally long, the weights positive; at least two values differ.

    >>> round(mean_cdf(0.5, np.array([0.0, 1.0]), np.array([1.0, 1.0])), 6)
    0.5
    """
    offsets = values - threshold * sizes
    scale = math.sqrt(float((weights * offsets * offsets).sum()))
    scaled = (offsets / scale)[:, None] * _nodes_to_sum(float(np.abs(offsets).max()) / scale)
    phase = weights @ np.arctan(scaled)
    log_modulus = 0.5 * (weights @ np.log1p(scaled * scaled))
    terms = np.sin(phase) * np.exp(-log_modulus)
    return 0.5 - float(terms @ _NODE_WEIGHTS[: len(terms)]) / math.pi


def _nodes_to_sum(largest: float) -> Floats:
    """The nodes that count, given the largest scaled offset o.

    With sum(w_i o_i^2) = 1 the log-modulus at x is at least log1p(o^2 x^2) / o^2 / 2, since
    log1p(y) / y falls.
    """
    exponent = min(2.0 * _LEAST_LOG * largest * largest, _LARGEST_EXPONENT)
    return _NODES[: _NODES.searchsorted(math.sqrt(math.expm1(exponent)) / largest)]


def mean_bounds(values: Floats, weights: Floats, level: float) -> Bounds:
    """The central interval of the mean at `level`; symmetric to the bit where the data are.

    `values` ascend and are symmetric about 1/2.

    >>> found = mean_bounds(np.array([0.0, 1.0]), np.array([3.5, 7.5]), 0.95)
    >>> round(found.low, 3), round(found.high, 3)
    (0.394, 0.907)
    """
    tail = (1.0 - level) / 2.0
    low = quantile(tail, values, weights)
    if np.array_equal(weights, weights[::-1]):
        return Bounds(low, 1.0 - low)
    return Bounds(low, quantile(1.0 - tail, values, weights))


def quantile(
    probability: float, values: Floats, weights: Floats, sizes: Floats | float = 1.0
) -> float:
    """The value below which the mean lies with this probability; see `mean_cdf`.

    Sought on the normal scale, on which the distribution is nearly a straight line.

    >>> round(quantile(0.5, np.array([0.0, 1.0]), np.array([2.0, 2.0])), 6)
    0.5
    """
    total = float(weights.sum())
    size = float((weights * sizes).sum()) / total
    mean = float(weights @ values) / total / size
    squares = float(weights @ (values - mean * sizes) ** 2)
    spread = math.sqrt(squares / total / (total + 1.0)) / size

    wanted = _deviations(probability)

    def excess(threshold: float) -> float:
        return _deviations(mean_cdf(threshold, values, weights, sizes)) - wanted

    near = end_of(excess, mean + wanted * spread, 0.0)
    far = end_of(excess, near.at, math.copysign(spread / 2.0, -near.value))
    return root_between(excess, min(near, far), max(near, far))


def _deviations(probability: float) -> float:
    """So many standard deviations a normal value lies above its mean with this probability."""
    return _NORMAL.inv_cdf(min(1.0 - _LEAST_TAIL, max(_LEAST_TAIL, probability)))
