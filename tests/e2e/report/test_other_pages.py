"""The pages of scoring runs and of judges compared, in a real Chromium."""

from pathlib import Path
from typing import Any

import pytest

from nova_judge.cli.cross_check import render_cross_check
from nova_judge.findings.judge_agreement import JudgedPair, JudgeVerdicts, Pair, cross_check
from nova_judge.report.page import render_page
from nova_judge.report.report_rows import MOST_ANSWER_ROWS, ScoredAnswers
from nova_judge.scores.table import AnswerScore, ScoreTable
from nova_judge.statistics.outcomes import Outcome
from tests.made import scored

from .looked_at import sideways, violations

TEXT = "Explain how to change the plan in the console, and name every step on the way. " * 3
PAGES = ("scores", "judges compared")
TWO_LINES = 75  # px


@pytest.fixture
def page_of(tmp_path: Path) -> Any:
    def written(name: str, rows: int = 20) -> Path:
        path = tmp_path / "page.html"
        path.write_text(scores_page(rows) if name == "scores" else judges_page(rows))
        return path

    return written


def scores_page(rows: int) -> str:
    scores = [
        AnswerScore(
            side,
            metric,
            number,
            value,
            id=f"question-{number}",
            category="billing",
            explanation="Stand-in judge reference: token F1 of answer and reference.",
            prompt=TEXT,
            answer=TEXT,
            reference=TEXT,
        )
        for number in range(1, rows + 1)
        for side, value in (("A", 0.25), ("B", 0.75))
        for metric in ("Correctness", "Completeness")
    ]
    table = ScoreTable()
    for score in scores:
        table.add(score)
    return render_page(scored.metrics(table), ScoredAnswers(scores))


def judges_page(rows: int) -> str:
    pairs = [Pair(f"{number}: {TEXT}", TEXT, TEXT) for number in range(rows)]
    outcomes = (Outcome.A, Outcome.B, Outcome.TIE)
    judges = [
        JudgeVerdicts(
            name,
            [
                JudgedPair(pair, outcomes[(place * step) % 3], "billing")
                for place, pair in enumerate(pairs)
            ],
        )
        for step, name in enumerate(("nova-micro/prod", "reference", "length"))
    ]
    return render_cross_check(cross_check(judges))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_row_takes_few_lines_and_opens_inside_its_box(open_page, page_of, name, width):
    page = open_page(page_of(name), width)
    heights = page.evaluate(
        "[...document.querySelectorAll('.rows summary')].map((each) => each.offsetHeight)"
    )
    assert heights
    assert max(heights) <= TWO_LINES * (1 if width > 390 else 2)
    page.locator(".rows summary").first.click()
    indents = page.evaluate(
        """() => { const text = document.querySelector('.rows details[open] p');
          return [parseFloat(getComputedStyle(text).paddingLeft),
            parseFloat(getComputedStyle(document.querySelector('.rows summary')).paddingLeft)]; }"""
    )
    assert indents[0] == indents[1] > 0
    assert sideways(page) == []
    assert violations(page) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (20, "All 20 rows;"),
        (MOST_ANSWER_ROWS + 1, f"The first {MOST_ANSWER_ROWS} of {MOST_ANSWER_ROWS + 1} rows;"),
    ],
)
def test_the_page_says_how_many_of_the_rows_it_shows(open_page, page_of, rows, told):
    page = open_page(page_of("scores", rows))
    assert page.inner_text("#rows > p").startswith(told)
