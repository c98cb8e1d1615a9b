"""Runs on disk: found, compared only where they may be, refused with the difference."""

import msgspec
import orjson
import pytest

from nova_judge.errors import SavedReportError
from nova_judge.findings.comparability import (
    MAY_DIFFER,
    compared_settings,
)
from nova_judge.findings.saved_report import find_reports, open_report
from nova_judge.findings.trends import difference, group, trend
from nova_judge.kinds.recipes import read_recipe
from nova_judge.report.index import render_index
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.write import write_report
from tests.made import generated
from tests.made.changed import changed

CHANGES = {
    "different kind": {"kind": "llm_judge"},
    "different recipe": {"recipe.name": "pairwise"},
    "different judge": {"judge.model": "amazon.nova-pro"},
    "different stand-in": {"judge.stand_in": "reference"},
    "different baseline A": {"candidates.A.name": "other"},
    "different stand-in for baseline A": {"candidates.A.stand_in": "recorded answers"},
    "different confidence level": {"win_rate.level": 0.9},
    "different interval method": {"win_rate.method": "Wald"},
    "different settings": {"recipe.sha256": "0" * 64},
}


@pytest.fixture
def saved(tmp_path, rubric_metrics, rows):
    def save(name, changes=None, created="2026-11-20T14:03:27Z", judged=rows):
        metrics = rubric_metrics
        for path, value in {**(changes or {}), "created": created, "run_id": name}.items():
            metrics = changed(metrics, path, value)
        write_report(tmp_path / name / "report", metrics, judged_pairs(judged, name))
        return open_report(tmp_path / name)

    return save


@pytest.mark.parametrize(("words", "changes"), CHANGES.items())
def test_incomparable_runs_are_refused_with_the_difference(saved, words, changes):
    one, other = saved("one"), saved("two", changes)
    assert difference(one, other).startswith(words)
    series, refused = trend(one, [one, other])
    assert [run.metrics.run_id for run in series] == ["one"]
    assert [item.report.metrics.run_id for item in refused] == ["two"]


def test_other_candidate_b_is_what_a_trend_shows(saved):
    one, other = saved("one"), saved("two", {"candidates.B.name": "checkpoint-2"})
    assert difference(one, other) is None


def test_equal_prompts_under_another_version_are_the_same_data(saved):
    one, other = saved("one"), saved("two", {"input.version": "uploaded-again"})
    assert difference(one, other) is None
    reuploaded = saved("three", {"input.version": "v3"}, judged=generated.judged_rows(240, seed=99))
    assert difference(one, reuploaded) is None  # the generated prompts do not depend on the seed
    fewer = saved("four", {"input.version": "v4"}, judged=[])
    assert difference(one, fewer).startswith("different data")


def test_ready_pairs_with_another_response_b_are_the_same_data(saved, rows):
    checkpoint = [
        msgspec.structs.replace(
            judged, row=msgspec.structs.replace(judged.row, response_B="a longer answer of B")
        )
        for judged in rows
    ]
    changes = {"input.uri": "s3://b/ck2.jsonl", "input.version": "v2", "input.size": 1}
    one, other = saved("one"), saved("two", changes, judged=checkpoint)
    assert difference(one, other) is None
    fewer = saved("three", changes, judged=checkpoint[:-1])
    assert difference(one, fewer).startswith("different data")


def test_two_unrelated_unnamed_baselines_are_never_one(saved, rows):
    unrelated = [
        msgspec.structs.replace(
            judged, row=msgspec.structs.replace(judged.row, response_A="of another model")
        )
        for judged in rows
    ]
    unnamed = {"candidates.A.name": "response_A"}
    other_file = {**unnamed, "input.version": "v2", "input.size": 1}
    one = saved("one", unnamed)
    assert difference(one, saved("two", other_file)) is None
    told = difference(one, saved("three", other_file, judged=unrelated))
    assert told.startswith("different baseline: response_A has other answers on ")


def test_changed_settings_are_named_and_candidate_b_may_change(saved, tmp_path):
    one, other = saved("one"), saved("two", {"recipe.sha256": "0" * 64})
    for name, temperature in (("one", 0.7), ("two", 0.0)):
        recipe = {"generation": {"temperature": temperature}, "candidates": {"B": {"file": name}}}
        (tmp_path / name / "request.json").write_bytes(orjson.dumps({"recipe": recipe}))
    assert difference(one, other) == "different settings: generation.temperature"
    (tmp_path / "two" / "request.json").write_bytes(
        (tmp_path / "one" / "request.json").read_bytes()
    )
    assert difference(one, other) is None


def test_the_name_and_the_limit_of_a_judge_job_may_differ(saved, tmp_path):
    one, other = saved("one"), saved("two", {"recipe.sha256": "0" * 64})
    recipe = msgspec.to_builtins(read_recipe("rubric"))
    for name in ("one", "two"):
        recipe["judge"]["nova"]["run"]["name"] = f"judge-of-{name}"
        recipe["budget"]["max_usd"] = len(name)
        (tmp_path / name / "request.json").write_bytes(orjson.dumps({"recipe": recipe}))
    assert difference(one, other) is None


@pytest.mark.parametrize("path", MAY_DIFFER)
def test_what_may_differ_stands_in_a_recipe_and_is_left_out(path):
    recipe = msgspec.to_builtins(read_recipe("rubric"))
    values = recipe
    for name in path.split("."):
        assert name in values
        values = values[name]
    assert not any(setting.path.startswith(path) for setting in compared_settings(recipe))


def test_failed_run_stands_in_its_series_without_a_point(saved, tmp_path):
    saved("one"), saved("two", {"status": "failed", "win_rate": None, "verdict": None})
    series = group(find_reports(tmp_path))
    assert [len(each) for each in series] == [2]


def test_index_links_to_reports_and_draws_the_trend(saved, tmp_path):
    for day in (11, 13, 17):
        saved(f"run-{day}", created=f"2026-11-{day}T00:00:00Z")
    page = render_index(group(find_reports(tmp_path)), tmp_path)
    assert page.count("<circle") >= 3
    assert 'href="run-11/report/report.html"' in page
    assert page.index("run-17/") < page.index("run-11/")
    assert "Criteria over time" in page


def test_what_is_no_report_is_named(tmp_path):
    with pytest.raises(SavedReportError, match=r"holds no metrics\.json"):
        open_report(tmp_path)
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(SavedReportError, match="does not hold the metrics of a run"):
        open_report(tmp_path)
    (tmp_path / "metrics.json").write_text("nan")
    with pytest.raises(SavedReportError, match="not JSON"):
        open_report(tmp_path)
