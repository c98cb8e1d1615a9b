"""Rows as people read them: Markdown, differences, links, keys, and all rows of a large run."""

import re
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import expect

from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Verdict
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.report_server import make_server
from nova_judge.report.write import write_report
from tests.made import generated
from tests.made.serving import serving

from .looked_at import violations

MARKDOWN = [
    "# A heading\n\nand `code`, **strong**, *emphasis*, __more__ and _more_",
    "```python\nx = '<b>'\n\ny = 1\n```\nafter",
    "~~~\nno end",
    "- one\n- two\n  - three\n  - four\n- five",
    "1. first\n2. second\n\n3. third",
    "7) seven\n8) eight",
    "> quoted\n> **twice**\n\nnot",
    "| a | b |\n|---|:-:|\n| 1 | `2` |\n| 3 | 4 |",
    "---\n\ntext\n\n***",
    "snake_case_name and 2 * 3 * 4",
    r"\*not emphasis\* and \# no heading",
    "<script>alert(1)</script> & <b>bold</b>",
    "**bold *and both* bold**",
    "`` a ` b ``",
    "- a\n\n  still a\n- b",
    "* item with `code`\n\nparagraph",
    "**unclosed and *more",
    "a ~~struck~~ b",
]


def as_text(html: str) -> list[str]:
    """Tags and texts in order, without what differs by choice: headings, paragraphs, blanks."""
    html = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    html = html.replace("&amp;", "&")
    html = re.sub(r"<(/?)h\d>|<p class=\"heading[^>]*>|</?p>|<(/?)(thead|tbody|tr)>", " ", html)
    html = re.sub(r"<(/?\w+)(?: [^>]*)?>", r" <\1> ", html)
    return html.replace("<br>", " ").split()


@pytest.fixture(scope="module")
def rendered(browser):
    """A page that turns texts into elements as the report does."""
    folder = Path(generated.__file__).resolve().parents[2] / "nova_judge/report/templates"
    page = browser.new_page()
    page.set_content("<html><body></body></html>")
    script = (folder / "text.js").read_text("utf-8") + (folder / "difference.js").read_text("utf-8")
    page.add_script_tag(
        content=f"{script}\nwindow.tried = {{ markdown, wordDifference, element }};"
    )
    yield page
    page.close()


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_is_what_a_known_renderer_makes_of_it(rendered, text):
    ours = rendered.evaluate(
        "(text) => { const d = document.createElement('div');"
        " d.append(...window.tried.markdown(text)); return d.innerHTML; }",
        text,
    )
    theirs = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    assert as_text(ours) == as_text(theirs.render(text))


@pytest.mark.parametrize(
    "text", ["**" * 9000, "[" * 20_000, "`" * 20_000, "> " * 8_000, "- " * 8_000, "|" * 19_999]
)
def test_no_text_takes_long(rendered, text):
    spent = rendered.evaluate(
        "(text) => { const from = performance.now(); window.tried.markdown(text);"
        " return performance.now() - from; }",
        text,
    )
    assert spent < 3000


def test_the_words_that_differ_are_marked(rendered):
    shown = rendered.evaluate(
        """() => window.tried.wordDifference("the cat sat down", "the dog sat").map((parts) => {
          const d = document.createElement("div"); d.append(...parts); return d.innerHTML; })"""
    )
    assert shown == ["the <del>cat</del> sat<del> down</del>", "the <ins>dog</ins> sat"]
    apart = "window.tried.wordDifference('a b '.repeat(4000), 'c d '.repeat(4000))"
    assert rendered.evaluate(apart) is None


def labelled_rows(count: int) -> list:
    labels = (None, Verdict.A, Verdict.B, Verdict.TIE)
    return [
        msgspec.structs.replace(
            judged, row=msgspec.structs.replace(judged.row, label=labels[judged.row.line % 4])
        )
        for judged in generated.judged_rows(count)
    ]


@pytest.fixture(scope="module")
def page_path(tmp_path_factory) -> Path:
    rows = labelled_rows(240)
    folder = tmp_path_factory.mktemp("rows")
    metrics = generated.metrics(rows)
    write_report(folder, metrics, judged_pairs(iter(rows), metrics.run_id))
    return folder / "report.html"


def lines(page) -> list[int]:
    listed = page.locator("#row-list > li > details").evaluate_all("all => all.map((e) => e.id)")
    return [int(name.removeprefix("row-")) for name in listed]


def test_a_link_opens_its_row_and_an_address_its_filters(open_page, page_path):
    page = open_page(page_path)
    page.evaluate("location.hash = '#row-217'")
    page.wait_for_selector("#row-217[open] .detail")
    assert page.evaluate("document.activeElement.parentElement.id") == "row-217"
    page.evaluate("location.hash = '#rows?verdict=B&sort=-margin'")
    expect(page.locator("#row-list .chip-B")).to_have_count(50)
    assert page.input_value("[name=verdict]") == "B"
    rows = {row.row.line: row for row in labelled_rows(240)}
    scores = [recomputed_scores(rows[line].judgment) for line in lines(page)]
    margins = [abs(of_row.margin) for of_row in scores if of_row is not None]
    assert len(margins) > 45
    assert margins == sorted(margins, reverse=True)
    page.select_option("[name=verdict]", "A")
    assert page.evaluate("location.hash") == "#rows?verdict=A&sort=-margin"


def test_keys_go_from_row_to_row(open_page, page_path):
    page = open_page(page_path)
    page.keyboard.press("j")
    page.wait_for_selector("#row-1[open]")
    for _ in range(3):
        page.keyboard.press("j")
    page.wait_for_selector("#row-4[open]")
    page.keyboard.press("k")
    page.wait_for_selector("#row-3[open]")
    assert page.locator("#row-list details[open]").count() == 1
    assert page.evaluate("location.hash") == "#row-3"
    page.focus("[name=search]")
    page.keyboard.type("jkj")
    assert page.locator("#row-list details[open]").count() <= 1


def test_what_people_and_judge_say_apart_can_be_filtered(open_page, page_path):
    page = open_page(page_path)
    page.select_option("[name=label]", "differs")
    expect(page.locator("#row-list .differs")).to_have_count(50)
    assert page.locator("#row-list > li").count() == 50


def test_filters_without_a_use_are_not_shown(open_page, tmp_path):
    rows = [
        msgspec.structs.replace(
            judged, judgment=msgspec.structs.replace(judged.judgment, rubric=None)
        )
        for judged in generated.judged_rows(12)
    ]
    metrics = generated.metrics(rows)
    page = open_page(write_report(tmp_path, metrics, judged_pairs(iter(rows), "r")))
    for name in ("criterion", "ahead", "margin", "label"):
        assert not page.is_visible(f"[name={name}]")
    assert page.is_visible("[name=verdict]")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The address of a served run of 20,000 rows, and how many of them are ties."""
    folder = tmp_path_factory.mktemp("large")
    rows = generated.judged_rows(20_000)
    metrics = generated.metrics(rows)
    write_report(folder / "mine" / "report", metrics, judged_pairs(iter(rows), metrics.run_id))
    with serving(make_server(folder, 0)) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/mine/report/report.html"
        yield address, metrics.reconciled.ties


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_all_rows_of_a_large_run_are_served(open_page, large, width):
    address, ties = large
    page = open_page(address, width)
    page.click("#all-rows")
    page.wait_for_selector("#row-list > li")
    assert page.inner_text("#row-count") == "20,000 of 20,000 rows of the run"
    page.evaluate("location.hash = '#row-17171'")
    page.wait_for_selector("#row-17171[open] .detail")
    page.evaluate("location.hash = '#rows?verdict=tie'")
    expect(page.locator(".chip-tie")).to_have_count(min(ties, 50))
    assert page.inner_text("#row-count") == f"{ties:,} of 20,000 rows of the run"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
