"""The figure: same bytes for same metrics, any name, the needle on the right side."""

import copy
import itertools
import math
import warnings

import matplotlib as mpl
import pytest

from nova_judge.records import JudgedRow, Judgment, Unscored, Verdict
from nova_judge.report.figure import PANELS, Panel, draw_panels, plot_judge_results
from nova_judge.report.figure_frame import drawable, render
from nova_judge.report.figure_panels import needle_angle
from nova_judge.text import one_line
from tests.made import generated
from tests.made.changed import changed

pytestmark = pytest.mark.drawn

NAMES = [
    "$x^$",
    r"\frac{$}_^",
    "x" * 500,
    "\u202egnp.live",
    "模型 😀 مرحبا",
    "line\nbreak\ttab\x00nul",
    "<script>alert(1)</script>",
    "",
    "\ud800",
]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_metrics_give_equal_bytes(rubric_metrics, form):
    first = render(plot_judge_results(rubric_metrics), form)
    mpl.rcParams["font.size"] = 31  # a user's own style must not leak in
    try:
        second = render(plot_judge_results(copy.deepcopy(rubric_metrics)), form)
    finally:
        mpl.rcdefaults()
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_any_model_name_is_drawn_without_a_warning(rubric_metrics, name):
    rubric_metrics = changed(rubric_metrics, "candidates.B.name", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = render(plot_judge_results(rubric_metrics), "png")
    assert drawn.startswith(b"\x89PNG")


LOST = Unscored("no verdict label in the judge's output")


@pytest.mark.parametrize(
    "orders", list(itertools.product((Verdict.B, Verdict.TIE, LOST), repeat=2))
)
def test_a_run_of_rows_alike_is_built_without_a_warning(orders):
    rows = [
        JudgedRow(row=each.row, judgment=Judgment(forward=orders[0], backward=orders[1]))
        for each in generated.judged_rows(3)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(plot_judge_results(generated.metrics(rows)).axes) == len(PANELS)


def test_all_panels_of_a_completed_and_a_failed_run(rubric_metrics, failed_run_metrics):
    for metrics in (rubric_metrics, failed_run_metrics):
        assert len(plot_judge_results(metrics).axes) == len(PANELS)


def test_failed_run_says_failed_and_draws_no_counts(failed_run_metrics):
    figure = plot_judge_results(failed_run_metrics)
    assert figure.texts[0].get_text().startswith("The run failed in RunJudgeJobs: CapacityError")
    assert sum(len(axes.patches) for axes in figure.axes[:5]) == 0


def test_needle_points_left_for_a_and_right_for_b():
    assert math.cos(needle_angle(0.0)) == pytest.approx(-1)
    assert math.cos(needle_angle(0.5)) == pytest.approx(0)
    assert math.cos(needle_angle(0.7)) > 0
    assert math.sin(needle_angle(0.7)) > 0


def test_line_stands_at_half(rubric_metrics):
    win_rate = plot_judge_results(rubric_metrics).axes[1]
    assert any(list(line.get_xdata()) == [50, 50] for line in win_rate.lines)


def test_label_is_one_bounded_line():
    assert one_line("a\n\u202eb\tc", 50) == "a b c"
    assert one_line("x" * 500, 40) == "x" * 26 + "…" + "x" * 13
    assert one_line("\u200b", 40) == "(no name)"
    assert drawable("模型-7b", 40) == "□□-7b"


def test_a_seventh_panel_begins_a_row_of_its_own(rubric_metrics):
    figure = draw_panels(
        rubric_metrics, (*PANELS[:6], Panel("Seventh", "", lambda axes, metrics: False))
    )
    last = figure.axes[-1]
    assert (len(figure.axes), last.get_title(loc="left")) == (7, "Seventh")
    assert last.get_position().y1 < figure.axes[5].get_position().y0
    heights = [
        axes.get_position().height * figure.get_figheight() for axes in (figure.axes[0], last)
    ]
    assert heights == pytest.approx([2.618, 2.618], abs=0.001)
