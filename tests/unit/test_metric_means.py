"""Means with intervals, and what can be recovered from a container's summary."""

import math
import random
import statistics

import pytest

from nova_judge.metric_means import (
    Scale,
    mean_difference,
    mean_score,
    recovered_rows,
    reported_interval,
)
from nova_judge.records import Unscored
from nova_judge.win_rate import DIRICHLET, WILSON


def test_a_proportion_gets_wilson_s_interval() -> None:
    interval = mean_score([1.0] * 7 + [0.0] * 3)
    assert not isinstance(interval, Unscored)
    assert interval.method == WILSON
    assert interval.low == pytest.approx(0.3968, abs=1e-4)
    assert interval.high == pytest.approx(0.8922, abs=1e-4)


def test_other_scores_get_the_interval_of_a_mean_on_their_own_scale() -> None:
    unit = mean_score([0.0, 0.25, 0.5, 1.0, 1.0])
    stars = mean_score([1.0, 2.0, 3.0, 5.0, 5.0], Scale(1.0, 5.0))
    assert not isinstance(unit, Unscored)
    assert not isinstance(stars, Unscored)
    assert unit.method == stars.method == DIRICHLET
    assert stars.estimate == 3.2
    assert (stars.low, stars.high) == pytest.approx((1 + 4 * unit.low, 1 + 4 * unit.high))


def test_no_scores_is_no_number() -> None:
    assert isinstance(mean_score([]), Unscored)


def test_a_score_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5 does not lie in"):
        mean_score([0.5, 1.5])


def test_order_and_parts_do_not_change_a_bit() -> None:
    draw = random.Random(7)  # noqa: S311 - test data
    scores = [draw.random() for _ in range(2500)]
    shuffled = draw.sample(scores, k=len(scores))
    assert mean_score(scores) == mean_score(shuffled)


def test_a_difference_is_taken_row_by_row() -> None:
    # Easy and hard prompts differ by far more than the candidates do.
    pairs = [(hardness / 40, hardness / 40 + 0.02) for hardness in range(30)]
    difference = mean_difference(pairs)
    assert not isinstance(difference, Unscored)
    assert difference.estimate == pytest.approx(0.02)
    mirrored = mean_difference([(second, first) for first, second in pairs])
    assert not isinstance(mirrored, Unscored)
    assert (mirrored.low, mirrored.high) == pytest.approx((-difference.high, -difference.low))


@pytest.mark.parametrize(("rows", "wins"), [(2, 1), (10, 7), (100, 99), (3574, 2345)])
def test_rows_behind_a_proportion_are_recovered_from_its_standard_error(
    rows: int, wins: int
) -> None:
    values = [1.0] * wins + [0.0] * (rows - wins)
    standard_error = statistics.stdev(values) / math.sqrt(rows)
    assert recovered_rows(wins / rows, standard_error) == rows
    reported = reported_interval(wins / rows, standard_error)
    assert not isinstance(reported, Unscored)
    assert reported == mean_score(values)


def test_rows_behind_a_published_figure() -> None:
    """AWS's example of own-data results: exact match .656 with its standard error."""
    assert recovered_rows(0.6562150055991042, 0.007948251702846893) == 3572
    assert recovered_rows(0.7522396416573348, 0.007224355240883467) == 3572


@pytest.mark.parametrize(
    ("mean", "standard_error"),
    [(0.9152812653966208, 0.003536439199232507), (1.0, 0.0), (0.0, 0.0), (0.5, 0.0), (0.5, 0.031)],
)
def test_what_is_no_single_proportion_gets_no_interval(mean: float, standard_error: float) -> None:
    assert recovered_rows(mean, standard_error) is None
    assert isinstance(reported_interval(mean, standard_error), Unscored)
