"""Whatever leaves a local run names what answered and judged in place of the models."""

import msgspec
import pytest

from nova_judge.findings.metrics_record import CandidateFacts, JudgeFacts
from nova_judge.findings.sentences_stand_in import stand_ins
from nova_judge.preflight.pricing import Cost
from nova_judge.report.figure import plot_judge_results
from nova_judge.report.markdown import render_markdown
from nova_judge.report.page import render_page
from nova_judge.report.write import render_report
from nova_judge.runs.usage import Bill, Estimate, Workload
from nova_judge.scores.table import AnswerScore, ScoreTable
from tests.made import scored
from tests.made.changed import changed

JUDGED = (
    "Stand-in judge: reference stood in for nova-micro/prod: these verdicts are not that model's."
)
ANSWERED = "Stand-in answers: recorded answers stood in for A and B: AWS was not asked."


@pytest.fixture
def local_metrics(rubric_metrics):
    metrics = changed(rubric_metrics, "judge.model", "nova-micro/prod")
    for path, name in (
        ("judge.stand_in", "reference"),
        ("candidates.A.stand_in", "recorded answers"),
        ("candidates.B.stand_in", "recorded answers"),
    ):
        metrics = changed(metrics, path, name)
    return metrics


@pytest.fixture
def benchmark_metrics(rubric_metrics):
    """A benchmark of a model: no candidates, no judge, and an interval that ends at the end."""
    table = ScoreTable()
    for row in range(36):
        table.add(AnswerScore("base", "accuracy", row, 1.0))
    forecast = Estimate(
        workload=Workload(rows=0),
        likely=Bill((), 0.0, ()),
        worst=Bill((), 0.0, ()),
        hours=0.3,
        assumptions=(),
    )
    return msgspec.structs.replace(
        scored.metrics(table, ("base",), rows=36),
        kind="benchmark",
        candidates={},
        judge=JudgeFacts(model="nova-micro/prod", role="model", stand_in="recorded answers"),
        cost=Cost(
            currency="USD",
            prices_read_on="2026-11-21",
            prices_region="us-east-1",
            estimate=forecast,
            actual=None,
            unmetered=(),
        ),
    )


def foot(figure):
    return figure.texts[-1].get_text()


@pytest.mark.drawn
def test_every_form_of_a_report_names_both(local_metrics):
    files = dict(render_report(local_metrics))
    for said in (JUDGED, ANSWERED):
        assert said in files["report.md"].decode()
        assert said in foot(plot_judge_results(local_metrics))
        title, _, sentence = said.partition(": ")
        band = f"<strong>{title}.</strong> {sentence}".replace("'", "&#39;")
        assert band in files["report.html"].decode()
    assert "generated" not in files["report.md"].decode()


@pytest.mark.drawn
def test_a_run_on_aws_names_none(rubric_metrics):
    rubric_metrics = changed(rubric_metrics, "judge.stand_in", None)
    assert stand_ins(rubric_metrics) == []
    assert "tand-in" not in render_markdown(rubric_metrics)
    assert foot(plot_judge_results(rubric_metrics)).count("\n") == 0


def test_one_candidate_may_come_from_the_file(local_metrics):
    of_file = CandidateFacts(local_metrics.candidates["A"].name, "file")
    local_metrics = changed(local_metrics, "candidates.A", of_file)
    assert "recorded answers stood in for B: " in str(stand_ins(local_metrics)[1])
    assert "| file |" in render_markdown(local_metrics)


def test_where_nobody_judges_the_model_under_test_is_no_judge(benchmark_metrics):
    said = "recorded answers stood in for nova-micro/prod: these answers are not that model"
    page = render_page(benchmark_metrics)
    assert f"<strong>Stand-in model.</strong> {said}" in page
    assert "<dt>Model</dt>" in page
    assert ">Judge</" not in page
    assert "nothing: a stand-in answered" in page
    assert f"Stand-in model: {said}" in render_markdown(benchmark_metrics)


@pytest.mark.drawn
def test_the_figure_of_means_is_had_by_the_same_call_and_names_who_answered(benchmark_metrics):
    figure = plot_judge_results(benchmark_metrics)
    assert "Stand-in model: recorded answers stood in for nova-micro/prod" in foot(figure)
    assert "model nova-micro/prod" in foot(figure)


@pytest.mark.drawn
def test_no_label_of_the_figure_of_means_is_cut(benchmark_metrics):
    figure = plot_judge_results(benchmark_metrics)
    (axes,) = figure.axes
    figure.draw_without_rendering()
    (label,) = [text for text in axes.texts if "1.000" in text.get_text()]
    assert label.get_window_extent().x1 < figure.bbox.x1
    assert axes.get_tightbbox().y0 > figure.texts[-1].get_window_extent().y1


def test_a_benchmark_that_failed_has_a_report(failed_run_metrics):
    model = JudgeFacts(model="nova-micro/prod", role="model", stand_in="recorded answers")
    failed = msgspec.structs.replace(
        failed_run_metrics, kind="benchmark", candidates={}, judge=model
    )
    assert "Stand-in model" in dict(render_report(failed))["report.md"].decode()
