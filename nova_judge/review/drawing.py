"""Which rows people are asked to label: where a label tells most, and by chance."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nova_judge.errors import ReviewError
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import JudgedRow, Judgment, Rubric
from nova_judge.review.labels import Draw, DrawnRow
from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.corrected_win_rate import (
    MIN_LABELLED,
    drawn_rows,
    expected_reach,
    inclusion_probabilities,
)
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile, score_quarters
from nova_judge.text import count_of

AGREEMENTS = (0.7, 0.8, 0.9)
_CLEAR_MARGIN = 0.3


class Candidates(NamedTuple):
    """The rows of a run as a design needs them; scores and usefulness are NaN without a verdict."""

    lines: list[int]
    scores: Floats
    usefulness: Floats


class Expected(NamedTuple):
    """Half the width of the corrected interval, where people agree with the judge on this share."""

    agreement: float
    reach: float


def candidates_of(rows: Iterable[JudgedRow]) -> Candidates:
    """How useful a label of each row is, 0 to 1."""
    lines, scores, useful = [], [], []
    for judged in rows:
        quarters = score_quarters(profile_of(judged.judgment))
        lines.append(judged.row.line)
        scores.append(np.nan if quarters is None else quarters / 4)
        useful.append(np.nan if quarters is None else _usefulness(judged.judgment))
    return Candidates(lines, np.array(scores, dtype=float), np.array(useful, dtype=float))


def draw_rows(candidates: Candidates, run_id: str, budget: int, seed: int, created: str) -> Draw:
    """Draw rows by the design. Raises ReviewError where there are too few to correct anything."""
    possible = int((~np.isnan(candidates.scores)).sum())
    if possible <= MIN_LABELLED:
        raise ReviewError(
            f"{run_id} has {count_of(possible, 'row')} with a verdict in both orders; a review "
            f"corrects a run of more than {MIN_LABELLED}"
        )
    probabilities = inclusion_probabilities(candidates.usefulness, budget)
    drawn = drawn_rows(probabilities, seed)
    rows = tuple(
        DrawnRow(candidates.lines[place], round(float(probabilities[place]), 9))
        for place in drawn.tolist()
    )
    return Draw(run_id=run_id, budget=budget, seed=seed, created=created, rows=rows)


def expected_of(candidates: Candidates, budget: int, level: float) -> list[Expected]:
    """The corrected interval that so many labels can expect, by how far people agree."""
    probabilities = inclusion_probabilities(candidates.usefulness, budget)
    reaches = (
        (share, expected_reach(candidates.scores, probabilities, share, level))
        for share in AGREEMENTS
    )
    return [Expected(share, reach) for share, reach in reaches if reach is not None]


def _usefulness(judgment: Judgment) -> float:
    """1 where the orders differ; less, the wider the margin and the more criteria agree with it."""
    if reconcile(profile_of(judgment)) is Reconciled.INCONSISTENT:
        return 1.0
    scores = recomputed_scores(judgment)
    if scores is None or not isinstance(judgment.rubric, Rubric):
        return 0.0
    close = max(0.0, 1.0 - abs(scores.margin) / _CLEAR_MARGIN)
    side = np.sign(scores.margin)
    weights = [criterion.weight for criterion in judgment.rubric.criteria]
    against = sum(
        criterion.weight
        for criterion in judgment.rubric.criteria
        if (criterion.score_A - criterion.score_B) * side < 0
    )
    return float(max(close, min(1.0, 2 * against / sum(weights)) if sum(weights) else 0.0))
