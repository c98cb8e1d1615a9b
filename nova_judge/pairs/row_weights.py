"""Other weights for the criteria of one row, as `reweight` lays them over a whole run."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.weighted_scores import (
    SCORE_UNITS,
    WeightedScores,
    rubric_sums,
    score_units,
)
from nova_judge.records import Candidate, Judgment, Rubric


class RowWeights(NamedTuple):
    """Weights by group of criteria, None for the judge's own; only groups of `kept` count."""

    weights: Mapping[str, int] | None
    kept: frozenset[str]


def reweighed_scores(
    judgment: Judgment, chosen: RowWeights, groups: CriterionGroups
) -> WeightedScores | None:
    """The weighted scores of a row; None where no criterion with a weight is left.

    Exact: the sign of the margin is the verdict that `reweigh` gives the row.
    """
    if not isinstance(judgment.rubric, Rubric):
        return None
    criteria = [c for c in judgment.rubric.criteria if groups.group(c.name) in chosen.kept]
    if chosen.weights is None:
        sums = rubric_sums(criteria)
        return sums.scores if sums.weight else None
    weights = chosen.weights
    held: dict[str, list[tuple[int, int]]] = {}
    for criterion in criteria:
        units = [score_units(criterion, score) for score in (criterion.score_A, criterion.score_B)]
        held.setdefault(groups.group(criterion.name), []).append((units[0], units[1]))
    whole = sum(weights.get(group, 0) for group in held)
    if not whole:
        return None

    def score(side: Candidate) -> Fraction:
        place = 0 if side == "A" else 1
        return sum(
            (
                weights.get(group, 0) * Fraction(sum(u[place] for u in units), len(units))
                for group, units in held.items()
            ),
            Fraction(),
        ) / (whole * SCORE_UNITS)

    of_a, of_b = score("A"), score("B")
    return WeightedScores(float(of_a), float(of_b), float(of_a - of_b))
