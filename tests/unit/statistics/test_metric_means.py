"""Means with intervals, and what can be recovered from a container's summary."""

import math
import random
import statistics

import numpy as np
import pytest

from nova_judge.records import Unscored
from nova_judge.statistics.metric_means import (
    PairedScores,
    Scale,
    mean_difference,
    mean_score,
    recovered_rows,
    reported_interval,
    shown_together,
)
from nova_judge.statistics.win_rate import DIRICHLET, WILSON


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


def covered(values, probabilities, scale, *, rows, runs=100):
    """How often the interval holds the true mean, and how often it ends at its own estimate."""
    draw = np.random.default_rng(rows)
    truth = float(np.dot(values, probabilities))
    found = [
        mean_score(draw.choice(values, p=probabilities, size=rows).tolist(), scale)
        for _ in range(runs)
    ]
    at_its_end = sum(one.estimate in (one.low, one.high) for one in found)
    return sum(one.low <= truth <= one.high for one in found) / runs, at_its_end


@pytest.mark.parametrize("rows", [5_000, 20_000])
def test_small_changes_of_many_rows_are_covered_and_not_rounded_away(rows: int) -> None:
    # One point of five on a criterion of weight .1, on a scale of differences from -2 to 2.
    coverage, at_its_end = covered((0.025, -0.025, 0.0), (0.6, 0.2, 0.2), Scale(-2, 2), rows=rows)
    assert coverage >= 0.9
    assert at_its_end == 0


def test_many_different_values_have_the_interval_of_the_central_limit() -> None:
    scores = (np.random.default_rng(8).beta(2, 20, size=20_000) / 1_000).tolist()
    found = mean_score(scores, Scale(0.0, 0.002))
    spread = 1.96 * statistics.stdev(scores) / math.sqrt(len(scores))
    assert found.low == pytest.approx(found.estimate - spread, rel=0.003)
    assert found.high == pytest.approx(found.estimate + spread, rel=0.003)


def test_one_far_score_does_not_round_the_others_away() -> None:
    draw = random.Random(3)  # noqa: S311 - test data
    scores = [0.4 + 0.1 * draw.random() for _ in range(5_000)] + [400.0]
    found = mean_score(scores, Scale(0.0, 400.0))
    assert found.estimate == pytest.approx(statistics.fmean(scores))
    assert 0.4 < found.low < found.estimate < found.high


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


def _null_pairs(seed: int, metrics: int, rows: int = 60) -> dict[str, PairedScores]:
    """Scores of two equal models on a grid of five, as a judge gives them."""
    drawn = np.random.default_rng(seed).integers(0, 5, size=(metrics, rows, 2)) / 4
    return {f"m{n}": PairedScores([tuple(pair) for pair in held]) for n, held in enumerate(drawn)}


def test_one_metric_is_shown_when_its_interval_leaves_zero_out():
    held = [(0.0, 1.0)] * 12 + [(1.0, 0.0)] * 2 + [(0.5, 0.5)] * 6
    interval = mean_difference(held)
    assert interval.low > 0
    assert shown_together({"m": PairedScores(held)}) == {"m"}
    assert shown_together({"m": PairedScores([])}) == set()
    assert shown_together({}) == set()


def test_a_clear_metric_makes_room_for_the_next_as_holm_has_it():
    clear = PairedScores([(0.0, 1.0)] * 40)
    near = next(
        PairedScores(held)
        for wins in range(12, 40)
        if (held := [(0.0, 1.0)] * wins + [(1.0, 0.0)] * 12)
        and mean_difference(held, level=0.95).low > 0
    )
    assert mean_difference(near.pairs, level=0.975).low <= 0
    assert shown_together({"near": near}) == {"near"}
    assert shown_together({"near": near, "clear": clear}) == {"near", "clear"}
    assert shown_together({"near": near, "same": near}) == set()


def test_many_metrics_without_a_difference_seldom_show_one():
    runs = [_null_pairs(seed, metrics=8) for seed in range(150)]
    alone = sum(
        any(not (i := mean_difference(held)).low <= 0 <= i.high for held, *_ in run.values())
        for run in runs
    )
    together = sum(bool(shown_together(run)) for run in runs)
    assert alone > 30  # a fifth to a third of the runs: what the correction is for
    assert together <= 15  # 7.5 expected at most; three standard deviations more
