"""The page in a real Chromium: widths, themes, keyboard, accessibility, hostile texts, size."""

import random
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import expect

from nova_judge.findings.metrics import compute_metrics, failed_metrics
from nova_judge.findings.metrics_record import (
    CandidateFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
)
from nova_judge.findings.saved_report import find_reports
from nova_judge.findings.trends import group
from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.criterion_weights import (
    figures,
    judge_weighting,
    reweigh,
    settings_for,
    weighting,
)
from nova_judge.pairs.rubric_columns import columns_of
from nova_judge.records import (
    CANDIDATES,
    Criterion,
    InputRow,
    JudgedRow,
    Judgment,
    Rubric,
    Unscored,
    Verdict,
)
from nova_judge.report.index import render_index
from nova_judge.report.report_rows import judged_pairs, stored_pairs
from nova_judge.report.write import write_report
from nova_judge.statistics.statistics_settings import StatisticsSettings
from tests.made import generated
from tests.made.changed import changed

from . import hostile
from .looked_at import foreign_elements, sideways, violations

WIDTHS = (360, 390, 768, 1280)
SCHEMES = ("light", "dark")
COUNTS = ("a", "b", "ties", "unscored")
MOVE_SLIDERS = """(values) => {
  const sliders = [...document.querySelectorAll('#weights input[type=range]')];
  sliders.forEach((slider, place) => { slider.value = values[place]; });
  sliders[0].dispatchEvent(new Event('input', { bubbles: true }));
}"""


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = generated.judged_rows(240)
    metrics = generated.metrics(rows, generated.JOB)
    return write(tmp_path_factory.mktemp("completed"), metrics, rows)


@pytest.fixture(scope="module")
def failed_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metrics = failed_metrics(generated.facts(240), "RunJudgeJobs", generated.FAILURE)
    return write_report(tmp_path_factory.mktemp("failed"), metrics)


@pytest.mark.parametrize("width", WIDTHS)
def test_fits_the_width(open_page, page_path, failed_path, width):
    for path in (page_path, failed_path):
        page = open_page(path, width)
        open_first_row(page)
        assert sideways(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(open_page, page_path, width, scheme):
    page = open_page(page_path, width, scheme)
    open_first_row(page)
    assert violations(page) == []


def test_axe_finds_nothing_on_a_failed_run(open_page, failed_path):
    page = open_page(failed_path)
    assert "The run failed in RunJudgeJobs" in page.inner_text("h1")
    assert violations(page) == []


@pytest.fixture(scope="module")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows, folder = generated.judged_rows(60), tmp_path_factory.mktemp("index")
    metrics = generated.metrics(rows)
    for day in (11, 13, 17):
        of_day = changed(metrics, "created", f"2026-11-{day}T00:00:00Z")
        write(folder / f"run-{day}" / "report", of_day, rows)
    return write_index(folder)


@pytest.mark.parametrize("width", [390, 1280])
def test_index_fits_and_axe_finds_nothing(open_page, index_path, width):
    page = open_page(index_path, width)
    assert page.locator(".trend circle").count() == 3
    assert sideways(page) == []
    assert violations(page) == []


@pytest.fixture(scope="module")
def job_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = generated.judged_rows(60)
    job = generated.JOB | {
        "inference_error_stderr": 0.1339,
        "b_scores_stderr": 0.1175,
        "score": 66.0,
    }
    return write(tmp_path_factory.mktemp("job"), generated.metrics(rows, job), rows)


@pytest.mark.parametrize("width", [390, 1280])
def test_what_the_job_reports_is_read_whole_on_a_phone(open_page, job_path, width):
    page = open_page(job_path, width)
    cut = page.evaluate(
        """() => { const cells = [...document.querySelectorAll('#trust > .card td')];
          return [cells.length, cells.filter((cell) =>
            cell.getBoundingClientRect().right > cell.closest('.card').getBoundingClientRect().right
          ).length]; }"""
    )
    assert cut[0] > 8
    assert cut[1] == 0
    assert violations(page) == []


def test_series_of_one_recipe_and_judge_are_told_apart(open_page, tmp_path):
    rows = generated.judged_rows(60)
    metrics = generated.metrics(rows)
    for name in ("one", "two"):
        for day in (1, 2):
            of_day = changed(metrics, "candidates.A.name", f"baseline {name}")
            of_day = changed(of_day, "created", f"2026-11-0{day}T00:00:00Z")
            write(tmp_path / f"{name}-{day}" / "report", of_day, rows)
    page = open_page(write_index(tmp_path))
    headings = page.locator("h2").all_inner_texts()
    assert len(headings) == len(set(headings)) == 2
    assert violations(page) == []


def test_keyboard_reaches_rows_and_opens_one(open_page, page_path):
    page = open_page(page_path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the result"
    page.focus("#row-list summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("#row-list > li:first-child .detail", state="visible")


def test_filters_agree_with_the_rows(open_page, page_path):
    page = open_page(page_path)
    tally = generated.metrics(generated.judged_rows(240)).reconciled
    verdicts = ("A", "B", "tie", "inconsistent", "error")
    for verdict, count in zip(verdicts, msgspec.structs.astuple(tally), strict=True):
        page.select_option("[name=verdict]", verdict)
        expect_rows(page, count)


def test_search_and_criterion_filter(open_page, page_path):
    page = open_page(page_path)
    page.fill("[name=search]", "change plan 17 in")
    expect_rows(page, 1)
    page.fill("[name=search]", "")
    page.select_option("[name=criterion]", "accuracy")
    page.select_option("[name=ahead]", "B")
    expect_rows(page, sum(b_ahead_on(row, "accuracy") for row in generated.judged_rows(240)))


def test_sliders_agree_with_the_command_line(open_page, page_path):
    page = open_page(page_path)
    groups = default_groups()
    columns = columns_of((row.judgment for row in generated.judged_rows(240)), groups)
    generator = random.Random(11)  # noqa: S311
    for _ in range(50):
        values = [generator.choice((0, generator.randint(1, 100))) for _ in range(5)]
        values[generator.randrange(5)] = 37
        page.evaluate(MOVE_SLIDERS, values)
        spelled = page.inner_text("#weights-command").partition('"')[2].rstrip('"')
        chosen = weighting(columns, groups, weights=spelled)
        corrected = settings_for(columns, StatisticsSettings())
        ours = figures(columns, reweigh(columns, chosen), corrected)
        shown = page.evaluate(
            "Object.assign({}, document.querySelector('#weights-result').dataset)"
        )
        assert [int(shown[name]) for name in COUNTS] == [getattr(ours, name) for name in COUNTS]
        assert shown["word"] == ours.verdict.word
        rate = [float(shown[name]) for name in ("estimate", "low", "high")]
        assert rate == pytest.approx(
            (ours.win_rate.estimate, ours.win_rate.low, ours.win_rate.high), abs=1e-8
        )


def test_sliders_know_equivalence(open_page, tmp_path):
    settings = StatisticsSettings(equivalence_margin=0.15)
    rows = generated.judged_rows(240)
    facts = msgspec.structs.replace(generated.facts(240), statistics=settings)
    page = open_page(write(tmp_path, compute_metrics(facts, rows, None), rows))
    groups = default_groups()
    columns = columns_of((row.judgment for row in rows), groups)
    generator, words = random.Random(5), set()  # noqa: S311
    for _ in range(30):
        page.evaluate(MOVE_SLIDERS, [generator.choice((0, 1, 100)) for _ in range(4)] + [1])
        spelled = page.inner_text("#weights-command").partition('"')[2].rstrip('"')
        chosen = weighting(columns, groups, weights=spelled)
        corrected = settings_for(columns, settings)
        word = figures(columns, reweigh(columns, chosen), corrected).verdict.word
        assert page.get_attribute("#weights-result", "data-word") == word
        words.add(word)
    assert {"equivalent", "B better"} <= words


def test_without_any_weight_no_command_is_printed(open_page, page_path):
    page = open_page(page_path)
    page.evaluate(MOVE_SLIDERS, [0, 0, 0, 0, 0])
    assert page.inner_text("[data-part=rate]") == "no row has a criterion with weight"
    assert not page.is_visible("#weights-command")
    page.evaluate(MOVE_SLIDERS, [100, 0, 0, 0, 0])
    assert page.is_visible("#weights-command")


def test_sliders_start_and_end_with_the_judges_own_weights(open_page, page_path):
    page = open_page(page_path)
    columns = columns_of((row.judgment for row in generated.judged_rows(240)), default_groups())
    own = figures(columns, reweigh(columns, judge_weighting(columns)))
    expected = f"{100 * own.win_rate.estimate:.1f} % [{100 * own.win_rate.low:.1f}, "
    assert page.inner_text("[data-part=rate]").startswith(expected)
    page.evaluate(MOVE_SLIDERS, [100, 0, 0, 0, 0])
    assert not page.inner_text("[data-part=rate]").startswith(expected)
    page.click("#weights-reset")
    assert page.inner_text("[data-part=rate]").startswith(expected)
    assert page.inner_text("#weights-command") == "nova-judge reweight RUN"


def test_hostile_texts_stay_text(open_page, tmp_path):
    texts = hostile.texts()
    assert len(texts) == 100
    rows = [hostile_row(line, text) for line, text in enumerate(texts, start=1)]
    metrics = generated.metrics(rows, generated.JOB)
    path = write(tmp_path, metrics, rows)
    page = open_page(path, 390)
    while page.is_visible("#more-rows"):
        page.click("#more-rows")
    assert page.locator("#row-list > li").count() == 100
    open_all = "document.querySelectorAll('#row-list details').forEach((e) => { e.open = true; })"
    page.evaluate(open_all)
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert foreign_elements(page) == []
    assert sideways(page) == []
    page.select_option("[name=view]", "plain")
    while page.is_visible("#more-rows"):
        page.click("#more-rows")
    page.evaluate(open_all)
    page.wait_for_timeout(300)
    shown = page.evaluate(
        "[...document.querySelectorAll('.pair:not(.orders) > :first-child .text')]"
        ".map((each) => each.textContent)"
    )
    assert shown == [as_shown(text) for text in texts]


@pytest.mark.parametrize("text", hostile.PAYLOADS)
def test_hostile_names_and_reasons_stay_text(open_page, tmp_path, text):
    metrics = renamed(failed_metrics(generated.facts(3), "RunJudgeJobs", text), text)
    page = open_page(write_report(tmp_path, metrics), 390)
    assert page.evaluate("window.pwned") is None
    assert foreign_elements(page) == []
    assert sideways(page) == []


@pytest.mark.slow
def test_hundred_thousand_rows_open(open_page, tmp_path):
    rows = generated.judged_rows(100_000)
    metrics = generated.metrics(rows)
    # The page alone is looked at: what `judgments.parquet` holds is read in other tests.
    path = write_report(tmp_path, metrics, stored_pairs(rows, metrics.run_id))
    assert path.stat().st_size < 12_000_000
    page = open_page(path)
    assert page.locator("#row-list > li").count() == 50
    assert "1,000 of 100,000 rows, drawn by a hash of run and line" in page.inner_text("#rows")


def expect_rows(page: Any, count: int) -> None:
    expect(page.locator("#row-count")).to_have_text(re.compile(f"^{count} of 240 rows"))


def open_first_row(page: Any) -> None:
    if page.locator("#row-list summary").count():
        page.locator("#row-list summary").first.click()
        page.wait_for_selector("#row-list .detail")
        page.evaluate(
            "document.querySelectorAll('#row-list > li:first-child details')"
            ".forEach((each) => { each.open = true; })"
        )


def b_ahead_on(row: JudgedRow, name: str) -> bool:
    rubric = row.judgment.rubric
    if isinstance(rubric, Unscored):
        return False
    return any(each.name == name and each.score_B > each.score_A for each in rubric.criteria)


def as_shown(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    if len(whole) <= 20_000:
        return whole
    left = f"{len(whole) - 20_000:,}"
    return f"{whole[:20_000]}…\n[{left} more characters stand in judgments.parquet]"


def hostile_row(line: int, text: str) -> JudgedRow:
    criterion = Criterion(
        name=text[:300],
        weight=1.0,
        type="scale",
        score_A=2,
        score_B=4,
        description=text,
        justification_A=text,
        justification_B=text,
    )
    return JudgedRow(
        row=InputRow(
            line=line,
            id=text[:300],
            prompt=text,
            response_A=text,
            response_B=text,
            reference=text,
            category=text[:300],
        ),
        judgment=Judgment(
            forward=Verdict.B if line % 3 else Unscored(text[:1000]),
            backward=random.Random(line).choice(list(Verdict)),  # noqa: S311
            forward_output=text,
            rubric=Rubric(criteria=(criterion,), overall_justification=text),
        ),
    )


def write(folder: Path, metrics: Metrics, rows: list[JudgedRow]) -> Path:
    return write_report(folder, metrics, judged_pairs(rows, metrics.run_id))


def write_index(folder: Path) -> Path:
    index = folder / "index.html"
    index.write_text(render_index(group(find_reports(folder)), folder))
    return index


def renamed(metrics: Metrics, text: str) -> Metrics:
    return msgspec.structs.replace(
        metrics,
        candidates={side: CandidateFacts(text, "file") for side in CANDIDATES},
        recipe=RecipeFacts(text, "0" * 64),
        judge=JudgeFacts(model=text, jobs=(text,), stand_in=text),
        input=InputFacts(text, text, 1),
        notes=(text,),
    )
