"""Means whose ends come from the values seen: paired differences, and scores without a scale.

The interval is the wider, at either end, of two: Student's t, which knows that few rows make an
uncertain spread, and Dirichlet weights over the rows with half an observation at the least and at
the largest value seen, which know that skewed values reach further on one side. The test flips the
signs of the differences, exactly, below twenty rows and for right and wrong (McNemar's exact test);
otherwise it is Student's t. Where prompts repeat, all of this is of the prompts' sums: the mean
stays that over rows, its standard error is clustered by prompt, and the ends are prompts' means.
"""

import math

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats, Keys
from nova_judge.statistics.clusters import sums_by_prompt
from nova_judge.statistics.dirichlet_mean import Bounds, quantile, sums_and_prompts
from nova_judge.statistics.distributions import (
    flip_test_of_counts,
    flip_test_of_values,
    normal_level,
    student_p_value,
    student_quantile,
)

__all__ = ["mean_difference_p_value", "observed_bounds"]

MIN_ROWS = 2
METHOD = "the wider of Student's t and Dirichlet weights over rows, ends at the values seen"
BY_PROMPT = "the wider of Student's t and Dirichlet weights over prompts, ends at the means seen"
ALL_EQUAL = "all values are equal: bounds from how often another value could have been missed"
_EXACT_BELOW = 20
_END = 0.5
_ROUNDING = 1e-12


def observed_bounds(
    values: Floats, level: float, ends: Bounds | None, keys: Keys | None = None
) -> Bounds | Unscored:
    """The ends of the interval of the mean of `values`, in any order.

    `ends` are the least and the largest value that could have been seen, None where nobody knows.
    keys: the prompts, where these repeat; 0 is a row alone. Unscored for a single row or prompt,
    and where all values are equal and the ends are not known.

    >>> found = observed_bounds(np.array([1.0, 2.0, 4.0] * 4), 0.95, Bounds(1.0, 5.0))
    >>> round(found.low, 2), round(found.high, 2)
    (1.51, 3.16)
    """
    sums, sizes = sums_by_prompt(values, keys)
    prompts, rows = len(sums), len(values)
    if prompts < MIN_ROWS:
        counted = "row has" if prompts == rows else "prompt's rows have"
        return Unscored(f"{prompts} {counted} a score, {MIN_ROWS} are needed for an interval")
    means = sums / sizes
    least, width = float(means.min()), float(np.ptp(means))
    mean = math.fsum(values.tolist()) / rows
    if width <= _ROUNDING * float(np.abs(values).max()):
        return _bounds_of_equal(mean, prompts, level, ends)
    reach = student_quantile(level, prompts - 1) * standard_error_of(sums, sizes)
    low, high = _dirichlet_bounds((sums - least * sizes) / width, sizes, level)
    low, high = (least + end * width for end in (low, high))
    low, high = min(low, mean - reach), max(high, mean + reach)
    return Bounds(low, high) if ends is None else Bounds(max(low, ends.low), min(high, ends.high))


def mean_difference_p_value(differences: Floats, keys: Keys | None = None) -> float:
    """Two-sided p-value of paired differences whose mean is 0 if neither side is better.

    Takes the differences in any order, and their prompts where these repeat; 1 where none differs
    from 0.

    >>> mean_difference_p_value(np.array([0.1, 0.2, 0.3, 0.1]))
    0.125
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    sums, _ = sums_by_prompt(differences, keys)
    if (np.abs(moved) == 1.0).all():
        return flip_test_of_counts(np.rint(sums).astype(np.int64))
    if len(sums) < _EXACT_BELOW:
        return flip_test_of_values(sums)
    error = standard_error_of(sums, np.ones(len(sums)))
    if error == 0.0:
        return 2.0 * 0.5 ** len(sums)
    return student_p_value(math.fsum(sums.tolist()) / len(sums) / error, len(sums) - 1)


def standard_error_of(sums: Floats, sizes: Floats) -> float:
    """The standard error of the mean over rows, from prompts' sums and sizes.

    Summed exactly so that the order changes no bit.
    """
    prompts, rows = len(sums), float(sizes.sum())
    mean = math.fsum(sums.tolist()) / rows
    squares = math.fsum(((sums - mean * sizes) ** 2).tolist())
    return math.sqrt(squares * prompts / (prompts - 1)) / rows


def _bounds_of_equal(
    value: float, prompts: int, level: float, ends: Bounds | None
) -> Bounds | Unscored:
    if ends is None:
        return Unscored("all scores are equal and the metric has no scale: nothing says how far")
    missed = 1.0 - ((1.0 - level) / 2.0) ** (1.0 / prompts)
    return Bounds(value - missed * (value - ends.low), value + missed * (ends.high - value))


def _dirichlet_bounds(shares: Floats, sizes: Floats, level: float) -> Bounds:
    """Of prompts' sums whose means go from 0 to 1; at a level as wide as Student's t."""
    tail = (1.0 - normal_level(level, len(shares) - 1)) / 2.0
    values, of_kind, weights = sums_and_prompts(shares, sizes)
    size = float(sizes.mean())
    values, of_kind = np.append(values, [0.0, size]), np.append(of_kind, [size, size])
    weights = np.append(weights, [_END, _END])
    return Bounds(*(quantile(share, values, weights, of_kind) for share in (tail, 1.0 - tail)))
