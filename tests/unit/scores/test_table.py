"""Figures of scored answers: means, missing scores, differences, slices, headline."""

import pytest

from nova_judge.findings.metrics import score_headline
from nova_judge.records import Unscored
from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable
from nova_judge.statistics.metric_means import Scale


def table(*scores: AnswerScore) -> ScoreTable:
    filled = ScoreTable()
    for score in scores:
        filled.add(score)
    return filled


def of(subject: str, *results: float | str | Unscored, metric: str = "m") -> list[AnswerScore]:
    return [
        AnswerScore(subject, metric, row, result, category="odd" if row % 2 else "even")
        for row, result in enumerate(results)
    ]


def test_missing_scores_are_counted_with_their_reasons_and_never_as_zero() -> None:
    filled = table(*of("A", 1.0, Unscored("late"), 0.0, Unscored("late")))
    (figure,) = filled.figures(0.95)
    assert (figure.rows, figure.unscored, figure.estimate) == (2, 2, 0.5)
    assert dict(filled.reasons()) == {("m", "late"): 2}


def test_words_are_counted_and_have_no_mean() -> None:
    (figure,) = table(*of("A", "warm", "cold", "warm")).figures(0.95)
    assert figure.words == {"warm": 2, "cold": 1}
    assert figure.rows == 3
    assert figure.estimate is None


def test_the_scale_of_an_unknown_metric_comes_from_its_scores() -> None:
    filled = table(*of("A", 2.0, 10.0, 6.0))
    (figure,) = filled.figures(0.95)
    assert figure.scale == Scale(2.0, 10.0)
    filled.facts["m"] = MetricFacts(scale=Scale(0.0, 20.0))
    assert filled.figures(0.95)[0].scale == Scale(0.0, 20.0)


def test_differences_are_taken_over_rows_that_both_have() -> None:
    filled = table(*of("A", 0.0, 0.5, Unscored("x"), 1.0), *of("B", 0.5, 1.0, 1.0, 1.0))
    (difference,) = filled.differences("A", "B", 0.95)
    assert difference.rows == 3
    assert difference.estimate == pytest.approx(1 / 3)
    assert filled.differences("A", "C", 0.95) == ()


def test_small_slices_have_a_mean_and_no_interval() -> None:
    (figure,) = table(*of("A", *[1.0] * 50)).figures(0.95)
    assert [(part.name, part.rows) for part in figure.slices] == [
        ("even", 25),
        ("odd", 25),
    ]
    assert figure.slices[0].low is not None
    (figure,) = table(*of("A", *[1.0] * 30)).figures(0.95)
    assert figure.slices[0].mean == 1.0
    assert figure.slices[0].reason == "fewer than 20 rows"


def test_a_metric_that_was_only_reported_gets_what_its_standard_error_allows() -> None:
    filled = ScoreTable()
    filled.reported["base", "deflection"] = Reported(0.7, 0.1527525231651947)
    filled.reported["base", "odd"] = Reported(0.7, 0.1)
    first, second = filled.figures(0.95)
    assert first.method == "Wilson, from the container's standard error"
    assert first.estimate == pytest.approx(0.7)
    assert second.estimate is None
    assert second.reported == Reported(0.7, 0.1)


def test_the_headline_of_two_candidates_names_what_is_shown_and_what_is_not() -> None:
    filled = table(
        *of("A", *[0.0] * 30, metric="right"),
        *of("B", *[1.0] * 30, metric="right"),
        *of("A", *[1.0] * 30, metric="rude"),
        *of("B", *[0.0] * 30, metric="rude"),
        *of("A", *[0.5, 0.6] * 3, metric="kind"),
        *of("B", *[0.6, 0.5] * 3, metric="kind"),
        *of("A", *[1.0] * 30, metric="short"),
        *of("B", *[0.0] * 30, metric="short"),
    )
    filled.facts["rude"] = MetricFacts("lower")
    differences = filled.differences("A", "B", 0.95)
    told = score_headline(filled.figures(0.95), differences, {"A": "small", "B": "large"})
    assert told.words == "B better on right, rude; A better on short; no difference shown on kind"
    assert told.evidence.endswith("A is small, B is large.")


def test_the_headline_of_one_model_leads_with_its_own_metrics() -> None:
    own = [*of("base", 1.0, 0.0, metric="em"), *of("base", 1.0, 1.0, metric="mine")]
    told = score_headline(table(*own).figures(0.95), [], {"base": "nova-micro/prod"})
    assert told.words == "mine 1.000"
    assert "mine of nova-micro/prod 1.000 (95 % interval" in told.evidence
    assert score_headline([], [], {}).words == "No score"


def test_rows_of_one_prompt_count_as_one_in_means_slices_and_differences() -> None:
    """Ten copies of each of 25 rows say what the 25 rows say."""

    def filled(copies: int) -> ScoreTable:
        rows = [(number, copy) for number in range(25) for copy in range(copies)]
        return table(
            *(
                AnswerScore(
                    side,
                    "m",
                    row,
                    (number * step % 11) / 10,
                    category="all",
                    prompt=f"question {number}",
                )
                for side, step in (("A", 3), ("B", 4))
                for row, (number, _) in enumerate(rows)
            )
        )

    once, copied = filled(1), filled(10)
    (of_once,), (of_copied,) = (each.differences("A", "B", 0.95) for each in (once, copied))
    assert (of_once.rows, of_once.prompts, of_once.counted) == (25, None, "25 rows")
    assert of_copied.counted == "250 rows of 25 prompts"
    assert (of_copied.low, of_copied.high) == pytest.approx((of_once.low, of_once.high))
    (first, *_), (second, *_) = once.figures(0.95), copied.figures(0.95)
    for one, other in ((first, second), (first.slices[0], second.slices[0])):
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.02)
    told = score_headline(copied.figures(0.95), copied.differences("A", "B", 0.95), {})
    assert "250 rows of 25 prompts" in told.evidence


def test_a_cluster_joins_rows_of_other_prompts_and_a_row_without_either_is_alone() -> None:
    named = [
        AnswerScore("A", "m", row, row % 2 * 1.0, prompt=f"q{row}", cluster=str(row // 2))
        for row in range(8)
    ]
    assert table(*named).figures(0.95)[0].prompts == 4
    assert table(*(one._replace(cluster=None) for one in named)).figures(0.95)[0].prompts is None
    assert table(*of("A", *[1.0, 0.0] * 4)).figures(0.95)[0].prompts is None
