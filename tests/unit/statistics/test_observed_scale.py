"""Paired differences: scipy, exact tests, power beside the t-test, coverage with few rows."""

import itertools

import numpy as np
import pytest
from scipy import stats

from nova_judge.records import Unscored
from nova_judge.statistics.dirichlet_mean import Bounds
from nova_judge.statistics.distributions import (
    flip_test_of_counts,
    flip_test_of_values,
    student_p_value,
    student_quantile,
)
from nova_judge.statistics.metric_means import (
    PairedScores,
    mean_difference,
    mean_score,
    shown_together,
)
from nova_judge.statistics.observed_scale import mean_difference_p_value, observed_bounds

UNIT_ENDS = Bounds(-1.0, 1.0)


@pytest.mark.parametrize("degrees", [1, 2, 4, 19, 1000, 100_000])
def test_student_is_scipy_s(degrees: int) -> None:
    for level in (0.5, 0.9, 0.95, 0.999):
        expected = stats.t.ppf((1 + level) / 2, degrees)
        assert student_quantile(level, degrees) == pytest.approx(expected, abs=1e-8)
    for statistic in (0.0, 0.3, 2.5, 20.0):
        expected = 2 * stats.t.sf(statistic, degrees)
        assert student_p_value(statistic, degrees) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("values", [(3, -1, 2, 5, -2, 1, 4), (1, 1, 1, 1), (0, 0, 2), (7,), ()])
def test_flipping_signs_counts_all_of_them(values: tuple[int, ...]) -> None:
    sums = [
        sum(s * v for s, v in zip(signs, values, strict=True))
        for signs in itertools.product((1, -1), repeat=len(values))
    ]
    expected = np.mean([abs(one) >= abs(sum(values)) for one in sums])
    given = np.array(values, dtype=np.int64)
    assert flip_test_of_counts(given) == pytest.approx(expected, abs=1e-12)
    assert flip_test_of_values(given.astype(float)) == pytest.approx(expected, abs=1e-12)


def test_right_and_wrong_have_mcnemar_s_exact_test() -> None:
    held = np.array([1.0] * 14 + [-1.0] * 5 + [0.0] * 81)
    expected = stats.binomtest(5, 19).pvalue
    assert mean_difference_p_value(held) == pytest.approx(expected, rel=1e-12)


def test_one_row_and_equal_scores_without_a_scale_have_no_interval() -> None:
    assert isinstance(mean_score([7.0], None), Unscored)
    assert isinstance(mean_score([0.7]), Unscored)
    assert isinstance(mean_score([7.0] * 3, None), Unscored)
    assert isinstance(mean_difference([(0.2, 0.4)]), Unscored)
    equal = mean_difference([(0.2, 0.4)] * 8)
    assert equal.low < 0.2 < equal.high


def test_four_rows_of_one_kind_show_nothing() -> None:
    """Their exact p-value is .125."""
    assert shown_together({"m": PairedScores([(0.0, 1.0)] * 4)}) == set()
    assert shown_together({"m": PairedScores([(0.0, 1.0)] * 6)}) == {"m"}


def drawn(kind: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    if kind == "rouge":
        return rng.normal(0.04, 0.1, rows)
    if kind == "criterion":
        return rng.choice([-0.25, 0.0, 0.25], p=[0.1, 0.6, 0.3], size=rows)
    if kind == "two points":
        return rng.choice([0.25, -1.0], p=[0.8, 0.2], size=rows)
    return rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=rows)


TRUTH = {"rouge": 0.04, "criterion": 0.05, "two points": 0.0, "right and wrong": 0.1}


@pytest.mark.parametrize("kind", sorted(TRUTH))
@pytest.mark.parametrize("rows", [5, 10, 20])
def test_the_interval_holds_the_mean_from_five_rows_on(kind: str, rows: int) -> None:
    rng = np.random.default_rng(rows)
    found = [observed_bounds(drawn(kind, rng, rows), 0.95, UNIT_ENDS) for _ in range(300)]
    held = [bounds.low <= TRUTH[kind] <= bounds.high for bounds in found]
    assert np.mean(held) >= 0.92  # .93 with two standard errors of 300 draws below
    assert all(bounds.low < bounds.high for bounds in found)


@pytest.mark.parametrize(("kind", "rows"), [("rouge", 20), ("rouge", 50), ("criterion", 40)])
def test_the_power_is_near_that_of_the_paired_t_test(kind: str, rows: int) -> None:
    rng = np.random.default_rng(3)
    ours = theirs = 0
    for _ in range(300):
        values = drawn(kind, rng, rows)
        bounds = observed_bounds(values, 0.95, UNIT_ENDS)
        away = not bounds.low <= 0.0 <= bounds.high
        ours += away and mean_difference_p_value(values) < 0.05
        theirs += stats.ttest_1samp(values, 0.0).pvalue < 0.05
    assert ours >= theirs - 0.05 * 300
