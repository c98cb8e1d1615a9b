"""Means and paired differences where prompts repeat: statsmodels, exact tests, coverage."""

import numpy as np
import pytest

from nova_judge.statistics.clusters import METHOD as CLUSTERS
from nova_judge.statistics.clusters import sums_by_prompt
from nova_judge.statistics.dirichlet_mean import Bounds, sums_and_prompts
from nova_judge.statistics.metric_means import (
    PairedScores,
    Scale,
    mean_difference,
    mean_score,
    shown_together,
)
from nova_judge.statistics.observed_scale import (
    ALL_EQUAL,
    BY_PROMPT,
    METHOD,
    mean_difference_p_value,
    observed_bounds,
    standard_error_of,
)

ENDS = Bounds(-1.0, 1.0)


def keys_of(sizes: list[int]) -> np.ndarray:
    return np.repeat(np.arange(1, len(sizes) + 1, dtype=np.uint64), sizes)


def paired(differences: np.ndarray) -> list[tuple[float, float]]:
    return [(0.0, each) for each in differences.tolist()]


def test_the_standard_error_is_statsmodels_clustered_one() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, 30).tolist()
    keys = keys_of(sizes)
    values = rng.normal(0.0, 1.0, 30)[keys.astype(int) - 1] + rng.normal(0.2, 0.5, len(keys))
    fit = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": keys.astype(int)}
    )
    assert standard_error_of(*sums_by_prompt(values, keys)) == pytest.approx(fit.bse[0], rel=1e-10)


def test_keys_that_do_not_repeat_change_nothing() -> None:
    values = np.random.default_rng(2).normal(0.1, 0.3, 40)
    for keys in (np.zeros(40, dtype=np.uint64), keys_of([1] * 40)):
        alone = mean_difference(paired(values))
        assert mean_difference(paired(values), keys=keys).method == alone.method == METHOD
        assert mean_difference(paired(values), keys=keys).low == pytest.approx(alone.low)
        assert mean_difference_p_value(values, keys) == pytest.approx(
            mean_difference_p_value(values)
        )


def test_neither_order_nor_names_of_prompts_change_a_bit() -> None:
    rng = np.random.default_rng(3)
    keys, values = keys_of([3, 1, 5, 2, 7] * 5), rng.random(90)
    order = rng.permutation(90)
    for measure in (mean_difference, mean_score):
        given = [paired(values), paired(values[order])]
        if measure is mean_score:
            given = [values.tolist(), values[order].tolist()]
        assert measure(given[0], keys=keys) == measure(given[1], keys=keys[order])


def test_right_and_wrong_of_six_prompts_are_six_coins() -> None:
    """As thirty rows they would have p = 2e-9."""
    differences = np.ones(30)
    assert mean_difference_p_value(differences, keys_of([5] * 6)) == pytest.approx(2 * 0.5**6)
    assert mean_difference_p_value(differences, keys_of([6] * 5)) == pytest.approx(2 * 0.5**5)
    of_six = {"m": PairedScores(paired(differences), keys=keys_of([5] * 6))}
    of_five = {"m": PairedScores(paired(differences), keys=keys_of([6] * 5))}
    assert (shown_together(of_six), shown_together(of_five)) == ({"m"}, set())


def test_copies_of_a_row_say_no_more_than_the_row() -> None:
    values = np.random.default_rng(4).normal(0.05, 0.1, 25)
    keys, copied = keys_of([8] * 25), np.repeat(values, 8)
    once, copies = mean_difference(paired(values)), mean_difference(paired(copied), keys=keys)
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high))
    assert copies.method == BY_PROMPT
    assert mean_difference_p_value(copied, keys) == pytest.approx(mean_difference_p_value(values))
    shares = np.round(np.clip(values + 0.5, 0, 1), 2)
    once = mean_score(shares.tolist())
    copies = mean_score(np.repeat(shares, 8).tolist(), keys=keys)
    assert copies.method == CLUSTERS
    assert copies.low <= once.low < once.high <= copies.high
    assert copies.high - copies.low < 1.1 * (once.high - once.low)


def test_one_prompt_has_no_interval_of_its_own_and_equal_values_have_one() -> None:
    keys = keys_of([10])
    assert observed_bounds(np.linspace(-0.5, 0.5, 10), 0.95, ENDS, keys).reason == (
        "1 prompt's rows have a score, 2 are needed for an interval"
    )
    of_one = mean_score([0.2, 0.4] * 5, keys=keys)
    assert (of_one.estimate, of_one.low, of_one.high) == (pytest.approx(0.3), 0.0, 1.0)
    equal = mean_difference([(0.2, 0.5)] * 30, keys=keys_of([5] * 6))
    assert equal.method == ALL_EQUAL
    missed = 1 - 0.025 ** (1 / 6)
    assert equal.low == pytest.approx(0.3 - 1.3 * missed)


def test_many_prompts_are_reckoned_with_as_few() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 11, 5_000).astype(float)
    sums = rng.beta(2.0, 3.0, 5_000) * sizes
    wins, of_kind, prompts = sums_and_prompts(sums, sizes)
    assert len(wins) <= 2_000
    assert prompts.sum() == 5_000
    assert wins @ prompts == pytest.approx(sums.sum())
    assert of_kind @ prompts == pytest.approx(sizes.sum())
    spread = ((wins - sums.mean() / sizes.mean() * of_kind) ** 2) @ prompts
    assert spread == pytest.approx(
        ((sums - sums.mean() / sizes.mean() * sizes) ** 2).sum(), rel=1e-4
    )
    keys = keys_of(sizes.astype(int).tolist())
    values = np.repeat(sums / sizes, sizes.astype(int))
    found = mean_score(values.tolist(), Scale(0.0, 1.0), 0.95, keys)
    reach = 1.96 * standard_error_of(*sums_by_prompt(values, keys))
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=2e-4
    )


def drawn(kind: str, rng: np.random.Generator, prompts: int, keys: np.ndarray) -> np.ndarray:
    """Differences with mean 0 whose prompts differ by more than the rows of one."""
    of_row, rows = keys.astype(int) - 1, len(keys)
    if kind == "rouge":
        return rng.normal(0.0, 0.1, prompts)[of_row] + rng.normal(0.0, 0.1, rows)
    if kind == "criterion":
        steps = rng.normal(0.0, 1.0, prompts)[of_row] + rng.normal(0.0, 0.6, rows)
        return np.clip(np.rint(steps), -2, 2) / 4
    chances = 1 / (1 + np.exp(-rng.normal(0.0, 2.0, (2, prompts))))[:, of_row]
    first, second = (rng.random((2, rows)) < chances).astype(float)
    return second - first


@pytest.mark.parametrize("kind", ["rouge", "criterion", "right and wrong"])
def test_interval_and_test_keep_their_level_where_prompts_repeat(kind: str) -> None:
    rng = np.random.default_rng(6)
    held = wrong = as_rows = 0
    for _ in range(300):
        sizes = (1 + rng.binomial(9, 0.5, 20)).tolist()
        keys = keys_of(sizes)
        values = drawn(kind, rng, 20, keys)
        bounds = observed_bounds(values, 0.95, ENDS, keys)
        held += bounds.low <= 0 <= bounds.high
        wrong += mean_difference_p_value(values, keys) < 0.05
        as_rows += mean_difference_p_value(values) < 0.05
    assert held >= 0.92 * 300  # .93 and more in the benchmark
    assert wrong <= 0.08 * 300
    assert as_rows > 0.1 * 300  # what clusters are for
