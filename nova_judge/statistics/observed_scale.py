"""Means whose ends come from the values seen: paired differences, and scores without a scale.

The interval is the wider, at either end, of two: Student's t, which knows that few rows make an
uncertain spread, and Dirichlet weights over the rows with half an observation at the least and at
the largest value seen, which know that skewed values reach further on one side. The test flips the
signs of the differences, exactly, below twenty rows and for right and wrong (McNemar's exact test);
otherwise it is Student's t.
"""

import math

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.binomial import sign_test
from nova_judge.statistics.dirichlet_mean import Bounds, quantile
from nova_judge.statistics.sign_flips import flip_test_of_values
from nova_judge.statistics.student import normal_level, student_p_value, student_quantile

MIN_ROWS = 2
METHOD = "the wider of Student's t and Dirichlet weights over rows, ends at the values seen"
ALL_EQUAL = "all values are equal: bounds from how often another value could have been missed"
_EXACT_BELOW = 20
_MOST_VALUES = 200
_END = 0.5


def observed_bounds(values: Floats, level: float, ends: Bounds | None) -> Bounds | Unscored:
    """The ends of the interval of the mean of `values`, in any order.

    `ends` are the least and the largest value that could have been seen, None where nobody knows.
    Unscored for a single row, and where all values are equal and the ends are not known.
    """
    rows = len(values)
    if rows < MIN_ROWS:
        return Unscored(f"{rows} row has a score, {MIN_ROWS} are needed for an interval")
    least, largest = float(values.min()), float(values.max())
    if least == largest:
        return _bounds_of_equal(least, rows, level, ends)
    mean = math.fsum(values.tolist()) / rows
    reach = student_quantile(level, rows - 1) * standard_error_of(values)
    low, high = _dirichlet_bounds((values - least) / (largest - least), level)
    low, high = (least + end * (largest - least) for end in (low, high))
    low, high = min(low, mean - reach), max(high, mean + reach)
    return Bounds(low, high) if ends is None else Bounds(max(low, ends.low), min(high, ends.high))


def mean_difference_p_value(differences: Floats) -> float:
    """Two-sided p-value of paired differences whose mean is 0 if neither side is better.

    Takes the differences in any order; 1 where none differs from 0.
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    if (np.abs(moved) == 1.0).all():
        return sign_test(int((moved > 0).sum()), int((moved < 0).sum()))
    if len(differences) < _EXACT_BELOW:
        return flip_test_of_values(differences)
    error = standard_error_of(differences)
    if error == 0.0:
        return 2.0 * 0.5 ** len(differences)
    mean = math.fsum(differences.tolist()) / len(differences)
    return student_p_value(mean / error, len(differences) - 1)


def standard_error_of(values: Floats) -> float:
    """The standard error of the mean, summed exactly so that the order changes no bit."""
    rows = len(values)
    mean = math.fsum(values.tolist()) / rows
    return math.sqrt(math.fsum(((values - mean) ** 2).tolist()) / (rows - 1) / rows)


def _bounds_of_equal(
    value: float, rows: int, level: float, ends: Bounds | None
) -> Bounds | Unscored:
    if ends is None:
        return Unscored("all scores are equal and the metric has no scale: nothing says how far")
    missed = 1.0 - ((1.0 - level) / 2.0) ** (1.0 / rows)
    return Bounds(value - missed * (value - ends.low), value + missed * (ends.high - value))


def _dirichlet_bounds(shares: Floats, level: float) -> Bounds:
    """Of values from 0 to 1, both of which occur; at a level as wide as Student's t."""
    tail = (1.0 - normal_level(level, len(shares) - 1)) / 2.0
    values, rows = values_and_rows(shares)
    weights = rows.copy()
    weights[[0, -1]] += _END
    return Bounds(quantile(tail, values, weights), quantile(1.0 - tail, values, weights))


def values_and_rows(shares: Floats) -> tuple[Floats, Floats]:
    """The values and the rows of each; where more than 200 differ, the means of 200 parts of them.

    Means keep the mean of all rows, and what varies within a part is too little to be seen.
    """
    values, counts = np.unique(shares, return_counts=True)
    rows = counts.astype(np.float64)
    if len(values) <= _MOST_VALUES:
        return values, rows
    part = np.floor((values - values[0]) / (values[-1] - values[0]) * _MOST_VALUES)
    first = np.flatnonzero(np.diff(part, prepend=-1.0))
    in_part = np.add.reduceat(rows, first)
    return np.add.reduceat(values * rows, first) / in_part, in_part
