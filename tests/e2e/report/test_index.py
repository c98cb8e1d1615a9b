"""The index of thirty runs in a real browser: searched, filtered, sorted, two of them compared."""

import pytest
from playwright.sync_api import expect

from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.report.report_server import make_server
from tests.made import generated
from tests.made.changed import changed
from tests.made.serving import serving

from .looked_at import violations

GROUPS = ("nightly", "demo", "release")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("out")
    for number in range(30):
        rows = generated.judged_rows(40 + 20 * (number % 4), seed=number % 7 + 1)
        metrics = generated.metrics(rows, generated.JOB)
        metrics = changed(
            metrics, "created", f"2026-11-{number % 28 + 1:02d}T0{number % 10}:00:00Z"
        )
        if number % 5 == 1:
            metrics = changed(metrics, "candidates.B.name", f"checkpoint-{number}00")
        if number % 6 == 2:
            metrics = changed(metrics, "judge.stand_in", "reference (token F1)")
        if number % 3 == 1:
            metrics = changed(metrics, "recipe.name", "pairwise")
        report = root / GROUPS[number % 3] / f"run-{number:02d}" / "report"
        report.mkdir(parents=True)
        (report / "metrics.json").write_bytes(encode_metrics(metrics))
        write_judgments(iter(rows), report / "judgments.parquet")
    with serving(make_server(root, 0)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_thirty_runs_are_found_sorted_and_compared(open_page, address, width, scheme):
    page = open_page(address, width, scheme)
    rows = page.locator(".runs-table tbody tr:visible")
    expect(rows).to_have_count(30)
    assert "run-27" in rows.first.inner_text()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".stand-in").count() == 5
    page.fill("#runs-search", "checkpoint-2600")
    expect(rows).to_have_count(1)
    assert "release/run-26" in rows.first.inner_text()
    page.fill("#runs-search", "")
    page.select_option("#runs-recipe", "pairwise")
    expect(rows).to_have_count(10)
    if width > 1000:
        page.click("[data-sort=rate] button")
        rates = page.locator(".runs-table tbody tr:visible").evaluate_all(
            "all => all.map((row) => Number(row.dataset.rate))"
        )
        assert rates == sorted(rates, reverse=True)
        assert page.get_attribute("[data-sort=rate]", "aria-sort") == "descending"
    hashed = page.evaluate("location.hash")
    page.reload()
    expect(rows).to_have_count(10)
    assert page.evaluate("location.hash") == hashed
    boxes = rows.locator("input[type=checkbox]")
    boxes.nth(0).check()
    assert page.is_disabled("#runs-compare")
    boxes.nth(1).check()
    page.click("#runs-compare")
    expect(page.locator("h1")).to_contain_text("→")
    assert "win rate" in page.inner_text("tbody tr >> nth=0")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_runs_that_cannot_be_compared_say_why(shared_page, address):
    page = shared_page
    page.goto(f"{address}compare?run=release/run-02&run=release/run-05")
    assert "These runs cannot be compared" in page.inner_text("main")
    assert "stand-in for the judge" in page.inner_text("main")
    assert page.goto(f"{address}compare?run=release/run-02").status == 404
    assert page.goto(f"{address}compare?run=../x&run=release/run-05").status == 404
