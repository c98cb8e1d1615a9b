"""Use that a judge makes of the scores 1 to 5 of a criterion, and the shape of that use.

AWS's post on the rubric judge looks for scores that are roughly bell-shaped by criterion: a judge
that gives nearly everything a 5 tells answers apart only where they are bad.
"""

import enum
from collections.abc import Sequence

import numpy as np

from nova_judge.pairs.rubric_columns import RubricColumns
from nova_judge.pairs.weighted_scores import SCORE_UNITS
from nova_judge.records import CANDIDATES
from nova_judge.statistics.arrays import Ints
from nova_judge.statistics.distributions import sign_test

STEPS = 5
MIN_SCORES = 20
"""Fewer scores of a criterion show no shape."""
_STEP = SCORE_UNITS // (STEPS - 1)


class ScoreShape(enum.StrEnum):
    """The shape of the counts of scores 1 to 5, as far as it is beyond noise."""

    BELL = "bell"
    TOP = "piled at 5"
    BOTTOM = "piled at 1"
    TWO_PEAKS = "two peaks"
    ENDS = "only 1 and 5"
    UNCLEAR = "no clear shape"


def score_counts(columns: RubricColumns) -> tuple[Ints, Ints]:
    """For A and for B, how often each group (row) got 1 to 5 (column); a half counts upwards."""
    cells = len(columns.groups) * STEPS
    of_a, of_b = (
        np.bincount(
            columns.group * STEPS + (columns.entries[side].astype(np.int64) + _STEP // 2) // _STEP,
            minlength=cells,
        ).reshape(-1, STEPS)
        for side in CANDIDATES
    )
    return of_a, of_b


def score_shape(counts: Sequence[int]) -> ScoreShape | None:
    """The shape of counts of the scores 1 to 5; None below `MIN_SCORES`.

    A score is more frequent than another where an exact sign test says so at 5 %.
    """
    if sum(counts) < MIN_SCORES:
        return None
    if not any(counts[1:-1]) and counts[0] and counts[-1]:
        return ScoreShape.ENDS
    if _has_valley(counts):
        return ScoreShape.TWO_PEAKS
    peak = max(range(STEPS), key=counts.__getitem__)
    if peak in (0, STEPS - 1):
        beside = 1 if peak == 0 else STEPS - 2
        piled = ScoreShape.BOTTOM if peak == 0 else ScoreShape.TOP
        return piled if _more(counts[peak], counts[beside]) else ScoreShape.UNCLEAR
    falls = _more(counts[peak], counts[0]) and _more(counts[peak], counts[-1])
    return ScoreShape.BELL if falls else ScoreShape.UNCLEAR


def _has_valley(counts: Sequence[int]) -> bool:
    return any(
        _more(max(counts[:score]), counts[score]) and _more(max(counts[score + 1 :]), counts[score])
        for score in range(1, STEPS - 1)
    )


def _more(one: int, other: int) -> bool:
    return one > other and sign_test(one, other) < 0.05
