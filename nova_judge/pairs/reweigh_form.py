"""The integers with which a page reweighs rubrics by itself."""

import msgspec
import numpy as np

from nova_judge.pairs.criterion_weights import mean_weights
from nova_judge.pairs.rubric_columns import FULL_SCORE, RubricColumns
from nova_judge.pairs.weighted_scores import WEIGHT_UNITS


class ReweighForm(msgspec.Struct, frozen=True, kw_only=True):
    """The integers that a page needs to reweigh by itself: see docs/rubric.md.

    `weights` are the judge's mean weights by group, `rows` holds for each row a flat list of group,
    score of A, score of B.
    """

    form: int = 1
    weight_unit: int = WEIGHT_UNITS
    full_score: int = FULL_SCORE
    groups: list[str]
    weights: list[int]
    rows: list[list[int]]


def reweigh_form(columns: RubricColumns) -> ReweighForm:
    """The form of these rubrics."""
    entries = columns.by_group
    table = np.stack([entries.group, entries.A, entries.B], axis=1)
    pieces = np.split(table, entries.start[1:-1])
    return ReweighForm(
        groups=list(columns.groups),
        weights=mean_weights(columns).tolist(),
        rows=[piece.ravel().tolist() for piece in pieces],
    )
