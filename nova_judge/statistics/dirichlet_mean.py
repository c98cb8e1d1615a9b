"""The distribution of a mean under Dirichlet weights, computed and not sampled.

The mean sum(w_i v_i) with w ~ Dirichlet(a) lies below t exactly when sum(G_i (v_i - t)) <= 0 for
independent G_i ~ Gamma(a_i). That probability is an integral over the characteristic function
(Gil-Pelaez 1951, Imhof 1961, Biometrika 48), which a double-exponential grid sums to 1e-9 for all
but the most one-sided data. No seed, no resampling noise, cost independent of the counts.

With `sizes`, the same of the ratio sum(w_i v_i) / sum(w_i s_i): clusters of s_i rows whose scores
add up to v_i, where the mean is taken over rows and clusters are what is drawn.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nova_judge.statistics.arrays import Floats


class Bounds(NamedTuple):
    """The lower and the upper end of an interval."""

    low: float
    high: float


def _double_exponential_grid() -> tuple[Floats, Floats]:
    steps = np.linspace(-3.4, 34.0, 800)
    nodes = np.exp(steps - np.exp(-steps))
    return nodes, (steps[1] - steps[0]) * (1.0 + np.exp(-steps))


_NODES, _NODE_WEIGHTS = _double_exponential_grid()
_TOLERANCE = 1e-10
_MAX_STEPS = 100


def mean_cdf(
    threshold: float, values: Floats, weights: Floats, sizes: Floats | float = 1.0
) -> float:
    """P(mean <= threshold) for values in [0, 1] (in [0, size]) under Dirichlet(weights).

    `values` and `weights` are equally long, the weights positive; at least two values differ.
    """
    offsets = values - threshold * sizes
    scale = math.sqrt(float((weights * offsets * offsets).sum()))
    scaled = (offsets / scale)[:, None] * _NODES
    phase = weights @ np.arctan(scaled)
    log_modulus = 0.5 * (weights @ np.log1p(scaled * scaled))
    return 0.5 - float((np.sin(phase) * np.exp(-log_modulus)) @ _NODE_WEIGHTS) / math.pi


def mean_bounds(values: Floats, weights: Floats, level: float) -> Bounds:
    """The central interval of the mean at `level`; symmetric to the bit where the data are.

    `values` ascend and are symmetric about 1/2.
    """
    tail = (1.0 - level) / 2.0
    low = quantile(tail, values, weights)
    if np.array_equal(weights, weights[::-1]):
        return Bounds(low, 1.0 - low)
    return Bounds(low, quantile(1.0 - tail, values, weights))


def quantile(
    probability: float, values: Floats, weights: Floats, sizes: Floats | float = 1.0
) -> float:
    """The value below which the mean lies with this probability; see `mean_cdf`."""
    total = float(weights.sum())
    size = float((weights * sizes).sum()) / total
    mean = float(weights @ values) / total / size
    squares = float(weights @ (values - mean * sizes) ** 2)
    spread = math.sqrt(squares / total / (total + 1.0)) / size

    def excess(threshold: float) -> float:
        return mean_cdf(threshold, values, weights, sizes) - probability

    low, high = _bracket(excess, mean, spread)
    return _root(excess, low, high)


def _bracket(excess: Callable[[float], float], centre: float, spread: float) -> Bounds:
    """Widen an interval about the centre until the root lies within, never beyond [0, 1]."""
    edge = 1e-13
    width = 2.5 * spread
    low, high = max(edge, centre - width), min(1.0 - edge, centre + width)
    while low > edge and excess(low) > 0:
        width *= 2
        low = max(edge, centre - width)
    while high < 1.0 - edge and excess(high) < 0:
        width *= 2
        high = min(1.0 - edge, centre + width)
    return Bounds(low, high)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The root of an increasing function between two points (false position, Illinois rule)."""
    at_low, at_high = function(low), function(high)
    if at_low >= 0 or at_high <= 0:
        return low if at_low >= 0 else high
    for _ in range(_MAX_STEPS):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        at_middle = function(middle)
        if abs(at_middle) < _TOLERANCE or high - low < _TOLERANCE:
            return middle
        if at_middle < 0:
            low, at_low, at_high = middle, at_middle, at_high / 2
        else:
            high, at_high, at_low = middle, at_middle, at_low / 2
    return (low + high) / 2
