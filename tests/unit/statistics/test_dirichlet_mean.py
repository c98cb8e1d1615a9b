"""Quantiles of a mean under Dirichlet weights: where halving finds them, and what they cost."""

import numpy as np
import pytest

from nova_judge.statistics import dirichlet_mean
from nova_judge.statistics.dirichlet_mean import mean_cdf, quantile


def some_data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of few or many prompts, their weights and sizes; half an observation at either end."""
    draw = np.random.default_rng(seed)
    kinds = int(draw.integers(1, 12))
    sizes = draw.integers(1, 5, kinds).astype(float) if seed % 2 else np.ones(kinds)
    values = draw.integers(0, 5, kinds) / 4 * sizes
    weights = np.ceil(10 ** draw.uniform(0, 3, kinds))
    mean = float((weights * sizes).sum() / weights.sum())
    return (
        np.append(values, [0.0, mean]),
        np.append(weights, [0.5, 0.5]),
        np.append(sizes, [mean, mean]),
    )


def halved(probability: float, values: np.ndarray, weights: np.ndarray, sizes: np.ndarray) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if mean_cdf(middle, values, weights, sizes) < probability:
            low = middle
        else:
            high = middle
    return low


@pytest.mark.parametrize("probability", [0.001, 0.025, 0.3, 0.5, 0.95, 0.975, 0.999])
def test_a_quantile_is_where_halving_finds_it(probability: float) -> None:
    for seed in range(30):
        data = some_data(seed)
        assert quantile(probability, *data) == pytest.approx(halved(probability, *data), abs=1e-10)


def test_a_quantile_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        dirichlet_mean, "mean_cdf", lambda *given: (asked.append(given), mean_cdf(*given))[1]
    )
    for seed in range(100):
        quantile(0.025, *some_data(seed))
    assert len(asked) < 7 * 100
