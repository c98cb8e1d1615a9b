"""Labels drawn with known probabilities: the formula written out, mirrors, coverage, errors."""

import numpy as np
import pytest

from nova_judge.records import Unscored
from nova_judge.statistics.corrected_win_rate import (
    CorrectedWinRate,
    corrected_win_rate,
    weighted_label_rate,
)


def review(rng, rows: int, budget: int, rate: float = 0.6, prompt_rows: int = 1):
    """Half of the budget at random, half where the judge's orders differ; it is right on .8.

    Scores, labels (NaN: not drawn), probabilities and prompts of all rows.
    """
    prompts = np.repeat(np.arange(1, rows // prompt_rows + 1), prompt_rows).astype(np.uint64)
    of_prompt = rng.beta(2 * rate, 2 * (1 - rate), rows // prompt_rows)
    truth = (rng.random(rows) < np.repeat(of_prompt, prompt_rows)).astype(float)
    right = rng.random(rows) < 0.8
    unsure = rng.random(rows) < np.where(right, 0.1, 0.5)
    scores = np.where(unsure, 0.5, np.where(right, truth, 1 - truth))
    aimed = np.minimum(1.0, np.where(unsure, 1.0, 0.05))
    aimed *= budget / 2 / aimed.sum()
    drawn = np.zeros(rows, dtype=bool)
    drawn[rng.permutation(rows)[: budget // 2]] = True
    drawn |= rng.random(rows) < aimed
    probabilities = 1 - (1 - budget / 2 / rows) * (1 - aimed)
    return scores, np.where(drawn, truth, np.nan), probabilities, prompts


def test_it_is_the_formula_of_active_inference() -> None:
    """The mean of weight x score and the weighted mean of what the labels add to it."""
    scores, labels, chances, _ = review(np.random.default_rng(1), 4000, 400)
    found = corrected_win_rate(scores, labels, chances)
    assert isinstance(found, CorrectedWinRate)
    drawn = ~np.isnan(labels)
    errors = labels[drawn] - found.weight * scores[drawn]
    weights = 1 / chances[drawn]
    ratio = weights @ errors / weights.sum()
    assert found.estimate == pytest.approx(found.weight * scores.mean() + ratio, abs=0.002)
    increments = found.weight * (scores - scores.mean())
    increments[drawn] += weights / weights.sum() * 4000 * (errors - ratio)
    error = np.sqrt(increments @ increments) / 4000
    assert found.high - found.low == pytest.approx(2 * 1.966 * error, rel=0.03)
    assert (found.labelled, found.unlabelled) == (drawn.sum(), 4000 - drawn.sum())


def test_exchanging_the_candidates_mirrors_it_and_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    scores, labels, chances, prompts = review(rng, 600, 90, prompt_rows=5)
    found = corrected_win_rate(scores, labels, chances, prompts)
    mirror = corrected_win_rate(1 - scores, 1 - labels, chances, prompts)
    assert (found.low, found.estimate, found.high) == (
        1 - mirror.high,
        1 - mirror.estimate,
        1 - mirror.low,
    )
    order = rng.permutation(600)
    alone = [column[order] for column in (scores, labels, chances)]
    assert corrected_win_rate(*alone) == corrected_win_rate(scores, labels, chances)
    assert found == corrected_win_rate(*(c[order] for c in (scores, labels, chances, prompts)))


@pytest.mark.parametrize(("rate", "prompt_rows"), [(0.6, 1), (0.05, 1), (0.6, 5)])
def test_the_interval_holds_the_win_rate_of_all_rows(rate: float, prompt_rows: int) -> None:
    rng = np.random.default_rng(3)
    held, alone, widths = [], [], []
    for _ in range(400):
        scores, labels, chances, prompts = review(rng, 400, 80, rate, prompt_rows)
        found = corrected_win_rate(scores, labels, chances, prompts)
        drawn = ~np.isnan(labels)
        weighted = weighted_label_rate(labels[drawn], chances[drawn], prompts[drawn])
        held.append(found.low <= rate <= found.high)
        alone.append(weighted.low <= rate <= weighted.high)
        widths.append((found.high - found.low) / (weighted.high - weighted.low))
    assert np.mean(held) >= 0.93
    assert np.mean(alone) >= 0.93
    assert np.mean(widths) < 0.95


def test_rows_without_a_score_take_no_part() -> None:
    scores, labels, chances, _ = review(np.random.default_rng(4), 300, 60)
    lost = np.append(scores, np.nan), np.append(labels, 0.0), np.append(chances, 0.5)
    assert corrected_win_rate(*lost) == corrected_win_rate(scores, labels, chances)


def test_what_cannot_be_estimated_has_a_reason() -> None:
    scores, labels = np.full(60, 0.5), np.append(np.ones(19), np.full(41, np.nan))
    chances = np.full(60, 0.3)
    assert corrected_win_rate(scores, labels, chances) == Unscored(
        "19 judged rows have a label, 20 are needed"
    )
    assert corrected_win_rate(scores, np.ones(60), chances) == Unscored(
        "every judged row has a label: read the labels themselves"
    )
    assert weighted_label_rate(np.ones(1), np.ones(1)) is None


@pytest.mark.parametrize("chance", [0.0, 1.5, -0.1, np.nan])
def test_a_probability_that_is_none_is_refused(chance: float) -> None:
    chances = np.append(np.full(29, 0.5), chance)
    with pytest.raises(ValueError, match="needs the probability of its draw"):
        weighted_label_rate(np.ones(30), chances)


def test_labels_that_all_agree_have_an_interval_that_is_not_a_point() -> None:
    scores = np.append(np.ones(30), np.zeros(270))
    labels = np.where(np.arange(300) < 30, 1.0, np.nan)
    found = corrected_win_rate(scores, labels, np.full(300, 0.1))
    assert found.low < found.estimate <= found.high
    assert found.high - found.low > 0.05
