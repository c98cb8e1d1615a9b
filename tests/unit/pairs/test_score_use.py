"""How a judge used the scores 1 to 5."""

import pytest

from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.rubric_columns import columns_of
from nova_judge.pairs.score_use import ScoreShape, score_counts, score_shape
from nova_judge.records import Criterion, Judgment, Rubric, Verdict


@pytest.mark.parametrize(
    ("counts", "shape"),
    [
        ((2, 10, 20, 12, 3), ScoreShape.BELL),
        ((0, 0, 8, 30, 12), ScoreShape.BELL),
        ((0, 0, 2, 10, 60), ScoreShape.TOP),
        ((60, 10, 2, 0, 0), ScoreShape.BOTTOM),
        ((40, 8, 2, 6, 40), ScoreShape.TWO_PEAKS),
        ((0, 30, 5, 30, 0), ScoreShape.TWO_PEAKS),
        ((20, 0, 0, 0, 30), ScoreShape.ENDS),
        ((0, 0, 0, 0, 30), ScoreShape.TOP),
        ((20, 20, 20, 20, 20), ScoreShape.UNCLEAR),
        ((0, 0, 5, 20, 18), ScoreShape.UNCLEAR),
        ((0, 0, 19, 0, 0), None),
    ],
)
def test_the_shape_of_scores_is_named_where_it_is_beyond_noise(
    counts: tuple[int, ...], shape: ScoreShape | None
) -> None:
    assert score_shape(counts) is shape


def test_every_score_that_the_judge_gave_counts_once() -> None:
    def judged(*criteria: Criterion) -> Judgment:
        return Judgment(forward=Verdict.A, backward=Verdict.A, rubric=Rubric(criteria=criteria))

    def scale(name: str, of_a: float, of_b: float) -> Criterion:
        return Criterion(name=name, weight=0.5, type="scale", score_A=of_a, score_B=of_b)

    yes = Criterion(name="zebra", weight=0.5, type="binary", score_A=1, score_B=0)
    columns = columns_of(
        [judged(scale("accuracy", 5, 2), yes), judged(scale("accuracy", 3.5, 2), yes)],
        default_groups(),
    )
    of_a, of_b = score_counts(columns)
    place = list(columns.groups).index
    assert of_a[place("accuracy")].tolist() == [0, 0, 0, 1, 1]
    assert of_b[place("accuracy")].tolist() == [0, 2, 0, 0, 0]
    assert of_a[place("zebra")].tolist() == [0, 0, 0, 0, 2]
    assert of_b[place("zebra")].tolist() == [2, 0, 0, 0, 0]
