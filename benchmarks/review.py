"""Coverage and width of the corrected win rate under the design of `nova-judge review`.

Run it with `python benchmarks/review.py`; the table in docs/review.md is its output.
"""

import numpy as np

from nova_judge.statistics.corrected_win_rate import (
    CorrectedWinRate,
    corrected_win_rate,
    drawn_rows,
    inclusion_probabilities,
)

WORLDS = ((200, 40, 0.6, 0.8), (500, 60, 0.6, 0.8), (500, 60, 0.85, 0.85))
LARGE = ((2000, 60, 0.6, 0.7), (2000, 120, 0.55, 0.9))
REVIEWS = 400


def main() -> None:
    rng = np.random.default_rng(1)
    for rows, budget, rate, right in (*WORLDS, *LARGE):
        held, widths, plain = [], [], []
        for seed in range(REVIEWS):
            truth = (rng.random(rows) < rate).astype(float)
            correct = rng.random(rows) < right
            unsure = rng.random(rows) < np.where(correct, 0.1, 0.45)
            scores = np.where(unsure, 0.5, np.where(correct, truth, 1 - truth))
            useful = np.where(unsure, 1.0, rng.random(rows) * 0.6 * np.where(correct, 0.6, 1))
            chances = inclusion_probabilities(useful, budget)
            found = corrected(scores, truth, chances, drawn_rows(chances, seed))
            held.append(found.low <= rate <= found.high)
            widths.append(found.high - found.low)
            even = np.full(rows, budget / rows)
            by_chance = corrected(scores, truth, even, rng.permutation(rows)[:budget])
            plain.append(by_chance.high - by_chance.low)
        print(
            f"{rows} rows, {budget} labels, {rate:.0%}, right on {right:.0%}: holds "
            f"{np.mean(held):.1%}, width {np.mean(widths):.3f}, by chance {np.mean(plain):.3f}"
        )


def corrected(
    scores: np.ndarray, truth: np.ndarray, chances: np.ndarray, drawn: np.ndarray
) -> CorrectedWinRate:
    labels = np.full(len(scores), np.nan)
    labels[drawn] = truth[drawn]
    found = corrected_win_rate(scores, labels, chances)
    assert isinstance(found, CorrectedWinRate)
    return found


if __name__ == "__main__":
    main()
