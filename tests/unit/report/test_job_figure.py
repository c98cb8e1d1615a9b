"""The figure from a dictionary: what AWS's notebooks hold, a results file, or our own metrics."""

import msgspec
import numpy as np
import pytest

from nova_judge.errors import SavedReportError
from nova_judge.findings.job_metrics import BY_JUDGMENT, metrics_of_job
from nova_judge.report.figure import PANELS
from nova_judge.report.job_figure import plot_nova_judge_results
from nova_judge.statistics.decision import Word
from tests.made.jobs import FIRST_POST

pytestmark = pytest.mark.drawn


def heading(figure):
    return figure.texts[0].get_text().replace("\n", " ")


def test_the_dictionary_of_the_post():
    figure = plot_nova_judge_results(FIRST_POST)
    assert heading(figure).startswith(
        "Inconclusive: The job's judgments, each counted as a row, name B on 10 and A on 16 of 26 "
        "rows (exact two-sided sign test, p = 0.327); win rate of B 38.5 %"
    )
    assert figure._repr_png_().startswith(b"\x89PNG")
    written = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "as the judge job reports it" in written
    assert "38.0 %  [23.0, 56.0]" in written


@pytest.mark.parametrize(
    "document",
    [
        {"results": {"custom|judge|0": FIRST_POST, "all": {"a_scores": 1, "b_scores": 1}}},
        {name: np.float64(value) for name, value in FIRST_POST.items()},
        {name: np.int64(value) if value >= 1 else value for name, value in FIRST_POST.items()},
    ],
)
def test_a_results_file_and_numbers_of_numpy(document):
    assert "B on 10 and A on 16 of 26" in heading(plot_nova_judge_results(document))


def test_our_own_metrics_as_record_and_as_dictionary(rubric_metrics):
    one = plot_nova_judge_results(rubric_metrics)
    other = plot_nova_judge_results(msgspec.to_builtins(rubric_metrics))
    assert heading(one) == heading(other)
    assert len(one.axes) == len(PANELS)


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        (3, 7, Word.INCONCLUSIVE),
        (20, 60, Word.B_BETTER),
        (60, 20, Word.A_BETTER),
        (10, 24, Word.INCONCLUSIVE),  # p = 0.024, but 5 of 17 prompts would decide nothing
    ],
)
def test_no_winner_that_half_as_many_judgments_would_not_name(a, b, word):
    metrics = metrics_of_job({"a_scores": a, "b_scores": b})
    assert metrics.verdict.word is word
    assert (metrics.verdict.blocked_by == (BY_JUDGMENT,)) is ((a, b) == (10, 24))


@pytest.mark.parametrize(
    "figures",
    [{}, {"a_scores": 1}, {"a_scores": 1, "b_scores": -1}, {"a_scores": 0.5, "b_scores": 1}],
)
def test_what_is_no_judge_of_pairs_is_refused(figures):
    with pytest.raises(SavedReportError, match="number of judgments"):
        plot_nova_judge_results(figures)
