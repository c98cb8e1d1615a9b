"""The files of a report: same bytes, valid JSON, XML and Markdown, an even sample of the rows."""

import io
import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import jsonschema
import msgspec
import numpy as np
import pytest

from nova_judge.findings.metrics_record import Reweighing
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.saved_report import open_report
from nova_judge.findings.schemas import SCHEMAS, schema_of
from nova_judge.pairs.controls import Control, ControlFinding
from nova_judge.records import ONE_PASS, Criterion, Judgment, Rubric, Unscored, Verdict
from nova_judge.report import page_rows
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.markdown import escape, render_markdown
from nova_judge.report.page_rows import RowSample
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.write import render_report, write_report
from nova_judge.scores.table import ScoreTable
from nova_judge.statistics.clusters import cluster_counts
from nova_judge.text import one_line
from tests.made import generated, runs, scored
from tests.made.changed import changed

SCHEMA = Path(__file__).parents[3] / "docs" / "metrics.schema.json"


def files(metrics, rows):
    return dict(render_report(metrics, judged_pairs(rows, metrics.run_id)))


@pytest.mark.drawn
def test_every_file_is_the_same_twice(rubric_metrics, rows):
    first, second = files(rubric_metrics, rows), files(rubric_metrics, rows)
    assert list(first) == list(second)
    assert set(first) == set(CONTENT_TYPES) - {"scores.parquet"}
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_in_the_docs_is_that_of_the_record(name):
    written = SCHEMA.with_name(name).read_text("utf-8")
    assert written == schema_of(*SCHEMAS[name]), "run `make schema`"


def test_metrics_follow_the_schema(rubric_metrics, failed_run_metrics):
    schema = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    assert list(schema.iter_errors({"run_id": "r-1"}))
    for metrics in (rubric_metrics, failed_run_metrics, scored.metrics(ScoreTable())):
        written = json.loads(files(metrics, [])["metrics.json"])
        assert [error.message for error in schema.iter_errors(written)] == []


def test_controls_stand_on_the_page(rubric_metrics):
    blocks = "shown the same answer on both sides, the judge names B on 21 and A on 2 rows"
    control = ControlFinding(Control.SAME_ANSWER, 40, 2, 21, 0.0001, blocks, None)
    page = files(changed(rubric_metrics, "controls", (control,)), [])["report.html"].decode()
    assert "The same answer twice: A, B named" in page
    assert "Shown the same answer on both sides" in page


@pytest.mark.parametrize("labels", [1, 19, 20])
def test_few_labels_give_kappa_without_an_interval(rows, labels):
    sides = [Verdict.A, Verdict.B] * labels
    labelled = [
        msgspec.structs.replace(row, row=msgspec.structs.replace(row.row, label=side))
        for row, side in zip(rows[:labels], sides, strict=False)
    ]
    found = generated.metrics([*labelled, *rows[labels:]])
    assert found.agreement.labelled == labels
    page = files(found, [])["report.html"].decode()
    cell = re.search(r"Cohen's kappa</th><td>(.*?)</td>", page)
    assert (cell is not None and "[" in cell.group(1)) == (labels >= 20)


@pytest.mark.parametrize("one_order", ["a pass a row", "chosen weights"])
def test_labels_of_a_run_of_one_order_stand_on_its_page(rows, one_order, tmp_path):
    """The page ended in a TypeError: shares of both orders are unknown there."""
    replace = msgspec.structs.replace
    labelled = [replace(each, row=replace(each.row, label=Verdict.B)) for each in rows[:40]]
    if one_order == "a pass a row":
        once = [replace(row, judgment=replace(row.judgment, backward=ONE_PASS)) for row in labelled]
        metrics = generated.metrics(once)
    else:
        run = open_report(runs.write_run(tmp_path / "run", labelled))
        metrics = reweighed_report(run, Reweighing(drop="clarity")).metrics
    assert (metrics.one_order, metrics.agreement.labelled) == (True, 40)
    page = files(metrics, labelled)["report.html"].decode()
    shares = page[page.index("Agreement with labels") :]
    assert f"A first</th><td>{100 * metrics.agreement.forward:.1f} %" in shares
    assert "orders (strict)" not in shares


@pytest.mark.parametrize("ends", [(0.3, 0.5), (0.95, 0.99)])
def test_what_the_job_reports_is_printed_as_given_even_where_it_cannot_be_right(rows, ends):
    job = {"winrate": 0.9, "lower_rate": ends[0], "upper_rate": ends[1]}
    found = generated.metrics(rows, job)
    told = f"90.0 % (95 % interval {100 * ends[0]:.1f} to {100 * ends[1]:.1f} %)"
    assert told in render_markdown(found)


def test_judgments_hold_every_row(rubric_metrics, rows, tmp_path):
    write_report(tmp_path, rubric_metrics, judged_pairs(rows, "r"))
    with duckdb.connect() as connection:
        query = "SELECT count(*) FROM read_parquet($path)"
        found = connection.execute(query, {"path": f"{tmp_path}/judgments.parquet"}).fetchone()
    assert found == (len(rows),)


def test_junit_says_pass_skip_fail_and_error(rubric_metrics, failed_run_metrics):
    def outcome(metrics):
        suite = ET.fromstring(files(metrics, [])["junit.xml"])  # noqa: S314  our own output
        return {case.get("name"): case[0].tag for case in suite}

    passed, skipped = "system-out", "skipped"
    cases = outcome(rubric_metrics)
    assert cases["the run completed and every row is accounted for"] == passed
    assert cases["B is not worse than A"] == passed
    assert {name: tag for name, tag in cases.items() if "criterion" in name} == {
        f"criterion {each.name}: B is not worse than A": {
            True: "failure" if each.margin and each.margin.mean > 0 else passed
        }.get(each.differs, skipped)
        for each in rubric_metrics.rubric.criteria
    }
    assert len([name for name in cases if name.startswith("category ")]) == len(
        rubric_metrics.slices
    )
    assert outcome(failed_run_metrics) == {
        "the run completed and every row is accounted for": "error"
    }


def test_junit_fails_a_control_that_blocks_and_names_who_judged(rubric_metrics):
    blocked = ControlFinding(
        control="same_answer", rows=40, a=30, b=2, p_value=0.0, blocks="prefers A", note=None
    )
    metrics = changed(rubric_metrics, "controls", (blocked,))
    suite = ET.fromstring(files(metrics, [])["junit.xml"])  # noqa: S314  our own output
    (case,) = [case for case in suite if case.get("name").startswith("control same_answer")]
    assert (case[0].tag, case[0].get("message")) == ("failure", "prefers A")
    assert metrics.judge.model in suite[0].find("system-out").text


def test_half_of_a_surrogate_pair_in_a_judge_s_words_stops_no_file(rows):
    criterion = Criterion(name="tone\ud800", weight=1.0, type="scale", score_A=1, score_B=5)
    judgment = Judgment(
        forward=Unscored("cut at \udfff"), backward=Verdict.B, rubric=Rubric(criteria=(criterion,))
    )
    odd = [msgspec.structs.replace(row, judgment=judgment) for row in rows[:20]]
    written = files(generated.metrics(odd), odd)
    stated = json.loads(written["metrics.json"])
    assert stated["rubric"]["criteria"][0]["members"] == ["tone\ufffd"]
    assert stated["errors"][0]["reason"] == "cut at \ufffd"
    assert "tone" in written["report.md"].decode()


def test_junit_holds_any_text(failed_run_metrics):
    failed = changed(failed_run_metrics, "failure.reason", "\x00 ]]> <x> & \x1b[31m")
    ET.parse(io.BytesIO(files(failed, [])["junit.xml"]))  # noqa: S314


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "[x](http://e.com)",
        "<img src=x>",
        "@everyone",
        "`code`",
        "# head",
        "- list",
        "1. one",
    ],
)
def test_markdown_keeps_names_as_text(rubric_metrics, name):
    rubric_metrics = changed(rubric_metrics, "candidates.B.name", name)
    line = next(li for li in render_markdown(rubric_metrics).splitlines() if "**B**" in li)
    assert len(re.findall(r"(?<!\\)\|", line)) == 4
    assert not re.search(r"(?<![\\&])[\[`#]|<|@|://", line)


def test_escaped_text_is_one_bounded_line():
    assert escape("a\nb" * 500, 60).count("\n") == 0
    assert escape("-x") == "\\-x"
    assert len(one_line("x" * 9000, 60)) == 60


def test_page_needs_no_network(rubric_metrics, rows):
    page = files(rubric_metrics, rows)["report.html"].decode()
    assert "default-src 'none'" in page
    outside = re.findall(r"(?:src|href)=\"(?!#|[a-z]+\.[a-z]+\")[^\"]*", page)
    assert outside == []
    assert "style=" not in page.split("<body>")[1].split("<script")[0]


def test_failed_run_has_a_report_that_says_so_and_no_rows(failed_run_metrics):
    written = dict(render_report(failed_run_metrics))
    assert set(written) == set(CONTENT_TYPES) - {"judgments.parquet", "scores.parquet"}
    page = written["report.html"].decode()
    assert ".parquet" not in page
    assert "<script" not in page
    assert "<h1>The run failed in RunJudgeJobs</h1>" in page
    assert "Service Quotas" in page


def test_sample_is_even_and_does_not_depend_on_the_order(monkeypatch):
    monkeypatch.setattr(page_rows, "MOST_ROWS", 50)
    rows = generated.judged_rows(400)
    shuffled = random.Random(1).sample(rows, len(rows))  # noqa: S311
    kept = [watched(each) for each in (rows, shuffled)]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 50
    assert 120 < sum(kept[0]) / 50 < 280


def test_sample_fits_its_budget(monkeypatch):
    monkeypatch.setattr(page_rows, "MOST_CHARACTERS", 20_000)
    sample = RowSample("r")
    list(sample.watch(generated.judged_rows(200)))
    assert 0 < sum(row.size for row in sample.rows()) <= 20_000


def watched(rows):
    sample = RowSample("r")
    assert len(list(sample.watch(rows))) == len(rows)
    return [row.line for row in sample.rows()]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"repeated": True}, "no interval over prompts"), ({"anytime": True}, "stopped early")],
)
def test_a_page_without_sliders_says_why(rubric_metrics, rows, changes, says):
    metrics = rubric_metrics
    if changes.get("repeated"):
        repeated = cluster_counts(
            np.array([1, 1], dtype=np.uint64), np.array([0.0, 1.0]), np.array([-1, 1])
        )
        metrics = msgspec.structs.replace(metrics, clusters=repeated)
    else:
        settings = msgspec.structs.replace(metrics.statistics, anytime=True)
        metrics = msgspec.structs.replace(metrics, statistics=settings)
    page = files(metrics, rows)["report.html"].decode()
    assert says in page
    assert 'id="weights"' not in page
