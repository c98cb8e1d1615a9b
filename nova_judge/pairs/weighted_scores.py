"""Weighted scores of one row, recomputed from its criteria in whole numbers.

A weight counts millionths, a score counts 400ths of the way from worst to best: a scale score s is
100 (s - 1) of 400, a binary one 400 or 0. Sums of their products are exact integers far below 2^53,
so ties are ties, the order of the criteria changes no bit, and a browser that adds the same
integers in doubles gets the same bits (docs/rubric.md).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.records import Candidate, Criterion, CriterionScores, Judgment, Rubric

WEIGHT_UNITS: Final = 1_000_000
SCORE_UNITS: Final = 400


class WeightedScores(NamedTuple):
    """Scores in [0, 1]; a positive margin favours A."""

    A: float
    B: float
    margin: float


class RubricSums(NamedTuple):
    """Sum of the weights, and of weight x score for each candidate, in units."""

    weight: int
    A: int
    B: int

    @property
    def scores(self) -> WeightedScores:
        """The weighted scores, each one division of whole numbers; the weights are normalised."""
        whole = self.weight * SCORE_UNITS
        return WeightedScores(self.A / whole, self.B / whole, (self.A - self.B) / whole)


def recomputed_scores(judgment: Judgment) -> WeightedScores | None:
    """The weighted scores of a rubric; None without one, or where all weights are zero."""
    if not isinstance(judgment.rubric, Rubric):
        return None
    sums = rubric_sums(judgment.rubric.criteria)
    return sums.scores if sums.weight else None


def point_scores(judgment: Judgment, side: Candidate, groups: CriterionGroups) -> dict[str, float]:
    """The scores of one answer in [0, 1] by group of criteria; the mean where a group has several.

    Empty without a rubric.
    """
    rubric = judgment.rubric
    units: dict[str, list[int]] = {}
    for criterion in rubric.criteria if isinstance(rubric, Rubric) else ():
        score = criterion.score_A if side == "A" else criterion.score_B
        units.setdefault(groups.group(criterion.name), []).append(score_units(criterion, score))
    return {
        group: sum(scores) / (len(scores) * SCORE_UNITS) for group, scores in sorted(units.items())
    }


def rubric_sums(criteria: Iterable[Criterion]) -> RubricSums:
    """The sums over all criteria of a row."""
    weight = of_a = of_b = 0
    for criterion in criteria:
        units = weight_units(criterion.weight)
        weight += units
        of_a += units * score_units(criterion, criterion.score_A)
        of_b += units * score_units(criterion, criterion.score_B)
    return RubricSums(weight, of_a, of_b)


def weight_units(weight: float) -> int:
    """A weight in millionths, rounded half to even."""
    return round(weight * WEIGHT_UNITS)


def score_units(criterion: CriterionScores, score: float) -> int:
    """A score in 400ths, rounded half to even: a scale's 1 to 5 are 0 to 400."""
    if criterion.type == "binary":
        return round(score * SCORE_UNITS)
    return round((score - 1.0) * (SCORE_UNITS / 4))
