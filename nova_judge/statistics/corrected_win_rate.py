"""The win rate corrected by a labelled sample, and how that sample is drawn.

Prediction-powered inference: the judge scores every row, people labelled some. What the labels add
to lambda times the score on the labelled rows, and lambda times the judge's mean over all rows,
estimate what people would say of all of them (Angelopoulos et al. 2023, Science 382; lambda as in
PPI++, arXiv 2311.01453). Labels help most where the judge is unsure, so a review draws such rows
more often, each with a known probability: a label then counts one over its probability (Zrnic and
Candes 2024, arXiv 2403.03208). Weighted means are ratios (Hajek 1971), so that it does not matter
how many rows a design happens to draw. One label (of a prompt, where prompts repeat) at either end,
beside the middle of the scores, with the weight that one of so many equal ones would have, and
Student's t keep the level when labels are few.

Rows are drawn for people to label half by chance alone, half where labels help most. Every row's
probability is known before anybody looks: `budget / 2 / rows` for the simple random half, and for
the other half in proportion to how much a label of it is expected to tell. One systematic draw over
the rows in random order takes exactly `budget` rows with these probabilities (Madow 1949).
"""

import math
from typing import NamedTuple

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Flags, Floats, Keys, RowIndices
from nova_judge.statistics.clusters import places_of
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of

__all__ = [
    "corrected_win_rate",
    "drawn_rows",
    "expected_reach",
    "inclusion_probabilities",
    "weighted_label_rate",
    "weighted_share",
]

MIN_LABELLED = 20
PPI = "prediction-powered inference (PPI++), Student's t"
DRAWN = "prediction-powered inference, labels weighted by one over their probability, Student's t"
WEIGHTED = "labels weighted by one over their probability, Student's t"
LEAST_SIZE = 0.3
_TRIALS = 24
_ROUND_ERROR = 1e-9


class CorrectedWinRate(Interval, frozen=True):
    """The win rate of B as the labels would have it; `weight` is the trust in the judge, 0 to 1."""

    labelled: int
    unlabelled: int
    weight: float


class _Rows(NamedTuple):
    """Rows in an order of their own. labels, weights: 0 where a row has no label."""

    scores: Floats
    labels: Floats
    weights: Floats
    places: RowIndices

    def mirrored(self) -> "_Rows":
        labels = np.where(self.weights > 0, 1.0 - self.labels, 0.0)
        return self._replace(scores=1.0 - self.scores, labels=labels)

    def ordered(self) -> "_Rows":
        order = np.lexsort((self.places, self.labels, self.scores, self.weights))
        return _Rows(
            self.scores[order], self.labels[order], self.weights[order], self.places[order]
        )


def corrected_win_rate(
    scores: Floats,
    labels: Floats,
    probabilities: Floats | None = None,
    clusters: Keys | None = None,
    level: float = 0.95,
) -> CorrectedWinRate | Unscored:
    """The win rate of B that labels of all rows would give, from the rows that have one.

    One element per row of the whole run, in any order. scores: the judge's, of B, 0 to 1; NaN where
    it has none, and these rows take no part (`Evidence.scores`). labels: 0 for A, 1/2 for a tie or
    both bad, 1 for B; NaN without a label (`Evidence.label_scores`). probabilities: with which a
    labelled row was drawn, above 0 and at most 1, fixed before any label was seen; those of other
    rows are not read. A row that two parts of a design may draw has 1 - (1 - p)(1 - q). None where
    all rows had the same chance. clusters: the prompts, where these repeat; 0 is a row alone
    (`Evidence.clusters`).

    Every row must have had a chance to be drawn. A drawn row that nobody labelled counts as not
    drawn: the result is biased as far as such rows differ from the others. Raises ValueError for a
    probability that is none.

    >>> judged = np.tile([1.0, 1.0, 0.0, 1.0], 50)
    >>> labels = np.full(200, np.nan)
    >>> labels[:40] = np.tile([1.0, 0.0, 0.0, 1.0], 10)
    >>> found = corrected_win_rate(judged, labels)
    >>> float(judged.mean()), round(found.estimate, 2), found.labelled
    (0.75, 0.51, 40)
    """
    labelled = int((~np.isnan(scores) & ~np.isnan(labels)).sum())
    others = int((~np.isnan(scores)).sum()) - labelled
    rows = _rows(scores, labels, probabilities, clusters)
    if labelled < MIN_LABELLED:
        rows_have = count_of(labelled, "judged row has", "judged rows have")
        return Unscored(f"{rows_have} a label, {MIN_LABELLED} are needed")
    if not others:
        return Unscored("every judged row has a label: read the labels themselves")
    low, estimate, high, trust = _bounds(rows, level)
    method = PPI if probabilities is None else DRAWN
    return CorrectedWinRate(estimate, low, high, level, method, labelled, others, trust)


def weighted_label_rate(
    labels: Floats, probabilities: Floats, clusters: Keys | None = None, level: float = 0.95
) -> Interval | None:
    """The win rate of labels that were drawn with known probabilities, without the judge.

    labels: 0 for A, 1/2 for a tie, 1 for B, of drawn rows alone. None below two labels. Raises
    ValueError for a probability that is none.

    >>> labels, drawn_with = np.array([1.0, 0.0] * 10), np.array([0.5, 0.25] * 10)
    >>> round(weighted_label_rate(labels, drawn_with).estimate, 3)
    0.35
    """
    if len(labels) < 2:
        return None
    rows = _rows(np.full(len(labels), 0.5), labels, probabilities, clusters)
    low, estimate, high, _ = _bounds(rows, level)
    return Interval(estimate, low, high, level, WEIGHTED)


def weighted_share(
    hits: Flags, probabilities: Floats, clusters: Keys | None = None, level: float = 0.95
) -> Interval | None:
    """The share of hits in all rows, from some drawn with these probabilities; None below two.

    >>> round(weighted_share(np.array([True, False] * 10), np.array([0.5, 0.25] * 10)).estimate, 3)
    0.333
    """
    found = weighted_label_rate(hits.astype(float), probabilities, clusters, level)
    if found is None:
        return None
    share = float((1.0 / probabilities) @ hits / (1.0 / probabilities).sum())
    low, high = min(found.low, share), max(found.high, share)
    return Interval(share, low, high, level, WEIGHTED)


def _rows(
    scores: Floats, labels: Floats, probabilities: Floats | None, clusters: Keys | None
) -> _Rows:
    """The rows with a score, each with the number of its prompt."""
    keys = np.zeros(len(scores), dtype=np.uint64) if clusters is None else clusters
    chances = np.ones(len(scores)) if probabilities is None else probabilities
    scored = ~np.isnan(scores)
    scores, labels = scores[scored], labels[scored]
    labelled = ~np.isnan(labels)
    drawn = chances[scored][labelled]
    if not ((drawn > 0.0) & (drawn <= 1.0)).all():
        raise ValueError("every labelled row needs the probability of its draw, in (0, 1]")
    weights = np.zeros(len(scores))
    weights[labelled] = 1.0 / drawn
    return _Rows(scores, np.where(labelled, labels, 0.0), weights, places_of(keys[scored]))


def _bounds(rows: _Rows, level: float) -> tuple[float, float, float, float]:
    """Lower end, estimate, upper end and the weight on the judge; for the side that is behind."""
    if math.fsum(rows.weights * (rows.labels - 0.5)) > 0:
        low, estimate, high, trust = _bounds_of_lesser(rows.mirrored().ordered(), level)
        return 1.0 - high, 1.0 - estimate, 1.0 - low, trust
    return _bounds_of_lesser(rows.ordered(), level)


def _bounds_of_lesser(rows: _Rows, level: float) -> tuple[float, float, float, float]:
    count, labelled = len(rows.scores), rows.weights > 0
    of_drawn = np.sort(np.bincount(rows.places, rows.weights))
    end = float(of_drawn @ of_drawn / of_drawn.sum())
    weights = np.append(rows.weights, [end, end])
    weights *= count / weights.sum()
    scores, labels = np.append(rows.scores, [0.5, 0.5]), np.append(rows.labels, [0.0, 1.0])
    of_all, of_labelled = float(rows.scores.mean()), float(weights @ scores) / count
    of_labels = float(weights @ labels) / count
    by_labels = weights * (labels - of_labels)
    by_judge = np.append(rows.scores - of_all, [0.0, 0.0]) - weights * (scores - of_labelled)
    spread = float(by_judge @ by_judge)
    trust = min(1.0, max(0.0, -float(by_labels @ by_judge) / spread)) if spread > 0 else 0.0
    estimate = of_labels + trust * (of_all - of_labelled)
    places = np.append(rows.places, [count, count + 1])
    of_prompts = np.sort(np.bincount(places, by_labels + trust * by_judge))
    drawn = np.sort(np.bincount(places, weights))
    prompts = len(np.unique(rows.places[labelled]))
    variance = float(of_prompts @ of_prompts) / count**2 * prompts / max(1, prompts - 1)
    degrees = max(1.0, float(drawn.sum() ** 2 / (drawn @ drawn)) - 1.0)
    reach = student_quantile(level, degrees) * math.sqrt(variance)
    low, centre, high = (
        min(1.0, max(0.0, end)) for end in (estimate - reach, estimate, estimate + reach)
    )
    return low, centre, high, trust


def inclusion_probabilities(usefulness: Floats, budget: int) -> Floats:
    """The probability of every row to be drawn; they add up to the budget, or to all rows.

    usefulness: 0 to 1 per row, 1 where a label tells most; NaN for rows that are not to be drawn.

    >>> inclusion_probabilities(np.array([1.0, 0.0, 0.0, np.nan]), 2).round(2).tolist()
    [0.96, 0.52, 0.52, 0.0]
    """
    possible = ~np.isnan(usefulness)
    count = int(possible.sum())
    probabilities = np.zeros(len(usefulness))
    if budget >= count:
        probabilities[possible] = 1.0
        return probabilities
    sizes = LEAST_SIZE + (1.0 - LEAST_SIZE) * usefulness[possible]
    chances = budget / 2 / count + budget / 2 * sizes / sizes.sum()
    while (over := chances > 1.0).any():
        chances[over] = 1.0
        certain = chances >= 1.0
        chances[~certain] *= (budget - certain.sum()) / chances[~certain].sum()
    probabilities[possible] = chances
    return probabilities


def drawn_rows(probabilities: Floats, seed: int) -> RowIndices:
    """The numbers of the drawn rows, in random order: whoever stops early has a random part.

    >>> sorted(drawn_rows(np.array([1.0, 0.5, 0.5, 0.0]), seed=0).tolist())
    [0, 1]
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(probabilities))
    reached = np.cumsum(probabilities[order]) + generator.random()
    steps = np.floor(reached + _ROUND_ERROR)
    before = np.concatenate([[0.0], steps[:-1]])
    drawn: RowIndices = generator.permutation(order[steps > before])
    return drawn


def expected_reach(
    scores: Floats, probabilities: Floats, agreement: float, level: float = 0.95
) -> float | None:
    """Half the width of the corrected interval that a review by this design can expect.

    agreement: the share of rows with a clear verdict on which people are assumed to say the same as
    the judge; on the others they are assumed to split evenly. The mean over simulated reviews; None
    where the labels would be too few.

    >>> scores, chances = np.tile([0.0, 1.0], 100), np.full(200, 0.4)
    >>> round(expected_reach(scores, chances, agreement=0.9), 2)
    0.09
    """
    generator = np.random.default_rng(0)
    reaches = []
    for _ in range(_TRIALS):
        agreed = generator.random(len(scores)) < agreement
        of_judge = np.where(generator.random(len(scores)) < scores, 1.0, 0.0)
        of_people = np.where(agreed, of_judge, 1.0 - of_judge)
        labels = np.full(len(scores), np.nan)
        drawn = drawn_rows(probabilities, int(generator.integers(1 << 32)))
        labels[drawn] = of_people[drawn]
        found = corrected_win_rate(scores, labels, probabilities, level=level)
        if isinstance(found, Unscored):
            return None
        reaches.append((found.high - found.low) / 2)
    return math.fsum(reaches) / len(reaches)
