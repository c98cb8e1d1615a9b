"""A claim that the figures do not carry is never written."""

import msgspec
import pytest

from nova_judge.errors import UnsupportedClaimError
from nova_judge.findings import sentences, sentences_rubric
from nova_judge.findings.metrics import compute_metrics
from nova_judge.pairs.controls import Control, judge_control
from nova_judge.pairs.score_use import ScoreShape
from nova_judge.records import InputRow, JudgedRow, Judgment, Verdict
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.write import render_report
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import ProfileCounts
from tests.made import generated
from tests.made.changed import changed
from tests.made.profiles import labelled


def judged(a: int, b: int) -> list[JudgedRow]:
    """Rows that both orders give to A, then rows that both give to B."""
    sides = [Verdict.A] * a + [Verdict.B] * b
    return [
        JudgedRow(
            row=InputRow(line=line, id=str(line), prompt=f"q {line}"),
            judgment=Judgment(forward=side, backward=side),
        )
        for line, side in enumerate(sides, start=1)
    ]


def metrics_of(a: int, b: int):
    return compute_metrics(generated.facts(a + b), judged(a, b), None)


def test_seven_of_ten_is_inconclusive():
    told = sentences.headline(metrics_of(3, 7))
    assert told.words == "Inconclusive"
    assert "p = 0.344" in told.evidence


def test_headline_of_a_clear_result():
    told = sentences.headline(metrics_of(30, 70))
    assert told.words == "B is better"
    assert told.evidence.startswith("Both orders name B on 70 and A on 30 of 100 rows")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("verdict.word", Word.A_BETTER),
        ("verdict.p_value", 0.2),
        ("verdict.b", 3),
        ("verdict.blocked_by", ("the A/A control",)),
        ("verdict.word", Word.EQUIVALENT),
        ("win_rate.estimate", 0.4),
        ("win_rate", None),
    ],
)
def test_verdict_that_the_figures_do_not_carry_is_refused(path, value):
    metrics = changed(metrics_of(30, 70), path, value)
    with pytest.raises(UnsupportedClaimError, match="figures do not carry"):
        list(render_report(metrics))


def test_rows_that_do_not_add_up_are_refused(rubric_metrics):
    one_more = changed(rubric_metrics, "rows.judged", rubric_metrics.rows.judged + 1)
    with pytest.raises(UnsupportedClaimError, match="rows must add up"):
        sentences.rows(one_more)


def test_interval_that_does_not_hold_its_estimate_is_refused(rubric_metrics):
    with pytest.raises(UnsupportedClaimError, match="hold its estimate"):
        sentences.interval(changed(rubric_metrics.win_rate, "low", 0.9))


def test_position_bias_is_claimed_only_beyond_chance(rubric_metrics):
    assert sentences.positions(rubric_metrics).startswith("No position bias")
    leaning = changed(rubric_metrics, "positions.leaning_first", 60)
    leaning = changed(leaning, "positions.p_value", 0.001)
    assert "favours the answer shown first" in sentences.positions(leaning)
    untested = changed(rubric_metrics, "positions.p_value", None)
    assert sentences.positions(untested).startswith("No row has a verdict in both orders")


def test_criteria_are_named_only_after_the_correction_and_with_their_order(rubric_metrics):
    criteria = rubric_metrics.rubric.criteria
    told = sentences_rubric.criteria(rubric_metrics)
    assert told.startswith("In the order A, B: B is ahead on ")
    for each in criteria:
        assert each.differs == (each.p_holm < 0.05)
        assert (each.name in told) == each.differs
    assert criteria[0].margin.high < 0
    level = changed(rubric_metrics, "rubric.criteria.0.differs", False)
    assert criteria[0].name not in sentences_rubric.criteria(level)


def test_the_use_of_scores_names_the_criteria_that_are_not_bell_shaped(rubric_metrics):
    rubric = rubric_metrics.rubric
    shapes = (ScoreShape.BELL, ScoreShape.TOP, ScoreShape.TOP)
    shaped = tuple(
        msgspec.structs.replace(each, name=name, shape=shape)
        for each, name, shape in zip(rubric.criteria, ("a", "b", "c"), shapes, strict=False)
    )
    said = sentences_rubric.score_use(msgspec.structs.replace(rubric, criteria=shaped))
    assert said == (
        "The judge's scores 1 to 5 are roughly bell-shaped on 1 of 3 criteria; piled at 5 on b and "
        "c."
    )
    assert sentences_rubric.score_use(msgspec.structs.replace(rubric, criteria=())) == ""


def test_one_criterion_and_one_rubric_are_told_in_the_singular(rubric_metrics):
    one = changed(changed(rubric_metrics, "rubric.unreadable", 1), "rubric.weights_not_one.rows", 1)
    first = changed(one.rubric.criteria[0], "differs", False)
    one = changed(one, "rubric.criteria", (first,))
    assert "1 of 1 criterion shows no difference" in sentences_rubric.criteria(one)
    told = " ".join(sentences_rubric.warnings(one.rubric))
    assert "1 rubric could not be read and is left out here. 1 rubric has weights" in told


def test_a_report_shows_every_score_that_the_judge_gave(rubric_metrics):
    first = rubric_metrics.rubric.criteria[0]
    assert sum(first.scores_A) == sum(first.scores_B) >= first.n
    files = dict(render_report(rubric_metrics))
    assert "How the judge used the scores" in files["report.html"].decode()
    assert "The judge's scores 1 to 5 are" in files["report.md"].decode()


def test_a_judge_that_favours_a_position_says_nothing_of_candidates_by_its_rubrics():
    metrics = generated.metrics(generated.position_biased_rows())
    assert metrics.verdict.word == "inconclusive"
    assert metrics.rubric.criteria[0].differs
    told = sentences_rubric.criteria(metrics)
    assert told.startswith("The judge favours the answer shown first, and criteria are scored")
    assert sentences_rubric.driver(metrics) == sentences_rubric.firmness(metrics) == ""
    assert "favours" not in sentences.weighted_scores(metrics)
    assert "is ahead" not in dict(render_report(metrics))["report.html"].decode()


def test_a_blocked_verdict_is_announced_nowhere():
    finding = judge_control(
        Control.PADDED, labelled({}, ProfileCounts((2, *[0] * 4, 38, *[0] * 10)))
    )
    rows = [
        msgspec.structs.replace(
            row, judgment=msgspec.structs.replace(row.judgment, forward=side, backward=side)
        )
        for row in generated.judged_rows(90)
        for side in [Verdict.B if row.row.line % 10 else Verdict.A]
    ]
    facts = msgspec.structs.replace(generated.facts(90), controls=(finding,))
    metrics = compute_metrics(facts, rows, None)
    assert finding.blocks
    assert not any(part.differs for part in metrics.slices)
    assert sentences.slices(metrics).startswith("The verdict is blocked")
    assert sentences.lead(metrics) == "no lead, the verdict is blocked"
    assert sentences_rubric.criteria(metrics).startswith("The verdict is blocked")
    page = dict(render_report(metrics, judged_pairs(rows, metrics.run_id)))["report.html"].decode()
    assert "B ahead by" not in page
    assert "is ahead on" not in page


def test_categories_are_named_only_after_the_correction(rubric_metrics):
    told = sentences.slices(rubric_metrics)
    for part in rubric_metrics.slices:
        assert (f"{part.category} (" in told) == part.differs


def test_numbers_as_people_write_them():
    assert sentences.percent(0.6325) == "63.2 %"
    assert sentences.p_value(0.0004) == "p < .001"
    assert sentences.p_value(0.0344) == "p = 0.034"
    assert sentences.p_value(1.0) == "p = 1.000"
    assert sentences.signed(-0.0806) == "\N{MINUS SIGN}0.081"
