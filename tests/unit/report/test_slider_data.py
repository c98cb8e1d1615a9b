"""What the sliders are given: whole numbers, names that a shell reads as names, own result."""

import msgspec

from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.criterion_weights import figures, judge_weighting, reweigh
from nova_judge.pairs.rubric_columns import columns_of
from nova_judge.records import Criterion, JudgedRow, Rubric
from nova_judge.report import slider_data
from nova_judge.report.page_rows import RowSample
from nova_judge.report.slider_data import WeightsEvidence
from tests.made import generated
from tests.made.changed import changed


def watched(rows):
    evidence = WeightsEvidence()
    list(evidence.watch(rows))
    return evidence


def named(row: JudgedRow, name: str) -> JudgedRow:
    criterion = Criterion(name=name, weight=1.0, type="scale", score_A=1, score_B=5)
    judgment = msgspec.structs.replace(row.judgment, rubric=Rubric(criteria=(criterion,)))
    return msgspec.structs.replace(row, judgment=judgment)


def test_sliders_start_at_the_judges_mean_weights(rubric_metrics, rows):
    found = watched(rows).weights(rubric_metrics)
    assert 97 <= sum(slider.start for slider in found.sliders) <= 103
    assert found.left_out == 0


def test_own_result_is_that_of_the_judges_own_weights(rubric_metrics, rows):
    columns = columns_of((row.judgment for row in rows), default_groups())
    own = figures(columns, reweigh(columns, judge_weighting(columns)))
    told = msgspec.json.decode(watched(rows).weights(rubric_metrics).own_result)
    assert (told["a"], told["b"], told["ties"]) == (own.a, own.b, own.ties)
    assert told["rate"]["low"] == own.win_rate.low


def test_no_weighting_names_a_candidate_where_the_judge_favours_a_position():
    rows = generated.position_biased_rows()
    found = watched(rows).weights(generated.metrics(rows))
    assert found.own.a > 1.3 * found.own.b
    assert found.own.verdict.word == "inconclusive"
    assert found.form.blocked
    assert "rubrics are of the order A, B" in found.own.verdict.sentence


def test_a_name_that_a_shell_would_run_gets_no_slider(rubric_metrics, rows):
    renamed = [named(row, '`;$(),="') for row in rows[:30]] + rows[30:]
    found = watched(renamed).weights(rubric_metrics)
    assert found.left_out == 1
    assert all(slider.group.replace(" ", "").isalpha() for slider in found.sliders)


def test_no_sliders_without_rubrics_or_where_the_page_could_not_agree(
    rubric_metrics, failed_run_metrics, rows, monkeypatch
):
    assert watched([]).weights(rubric_metrics) is None
    assert watched(rows).weights(failed_run_metrics) is None
    anytime = changed(rubric_metrics, "statistics.anytime", True)
    assert watched(rows).weights(anytime) is None
    monkeypatch.setattr(slider_data, "MOST_ROWS", 100)
    assert watched(rows).weights(rubric_metrics) is None


def test_groups_name_what_the_page_shows(rows):
    sample, evidence = RowSample("r"), WeightsEvidence()
    list(sample.watch(evidence.watch(rows)))
    grouped = evidence.group_names(sample.rows())
    assert grouped == {"follows the instruction": "follows instruction"}
    assert evidence.group_names([]) == {}
