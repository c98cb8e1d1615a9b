"""Weighted scores of one row, recomputed from its criteria."""

import math
from typing import NamedTuple

from nova_judge.records import Criterion, Judgment, Rubric


class WeightedScores(NamedTuple):
    """Scores in [0, 1]; a positive margin favours A."""

    A: float
    B: float
    margin: float


def recomputed_scores(judgment: Judgment) -> WeightedScores | None:
    """The weighted scores of a rubric; None without one. A scale s counts (s - 1)/4."""
    rubric = judgment.rubric
    if not isinstance(rubric, Rubric):
        return None
    total = math.fsum(criterion.weight for criterion in rubric.criteria)
    if total <= 0:
        return None
    of_a = math.fsum(c.weight * _share(c, c.score_A) for c in rubric.criteria) / total
    of_b = math.fsum(c.weight * _share(c, c.score_B) for c in rubric.criteria) / total
    return WeightedScores(of_a, of_b, of_a - of_b)


def _share(criterion: Criterion, score: float) -> float:
    return (score - 1.0) / 4.0 if criterion.type == "scale" else score
