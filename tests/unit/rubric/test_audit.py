import json
from collections import Counter

import orjson
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.judge.output import judgment_of, read_judgments
from nova_judge.judge.passes import COUNTS_DIFFER
from nova_judge.results.audit import audit_job, audit_report
from nova_judge.results.job_audit import Kind

from . import details, runs

POST_TWO = {
    "a_scores": 3.0,
    "b_scores": 7.0,
    "ties": 0.0,
    "inference_error": 1.0,
    "winrate": 0.70,
    "lower_rate": 0.400,
    "upper_rate": 0.909,
    "average_weighted_score_a": 0.495,
    "average_weighted_score_b": 0.630,
    "average_margin": -0.135,
    "error_rate": 0.091,
}


def found(audit):
    return {one.where: one for one in audit.findings}


def test_the_photosynthesis_row_is_found_and_the_notre_dame_row_passes():
    judgments = [judgment_of(row)[0] for row in (details.NOTRE_DAME, details.PHOTOSYNTHESIS)]
    audit = audit_job(None, judgments, {})
    stated = {where: (one.stated, one.recomputed) for where, one in found(audit).items()}
    assert stated == {
        "row 1: weighted_score_A": ("0.225", "0.425"),
        "row 1: score_margin": ("-0.775", "-0.575"),
    }
    assert audit.checked == 6
    assert audit_job(None, judgments[:1], {}).findings == ()


def test_seven_of_ten_is_not_significant_and_its_other_figures_hold():
    audit = audit_job(POST_TWO, None, {})
    assert list(found(audit)) == ["job: that B is ahead"]
    claim = audit.findings[0]
    assert claim.kind is Kind.UNSUPPORTED
    assert "p = 0.344" in claim.recomputed
    assert "0.397 to 0.892" in claim.recomputed


def test_the_first_post_s_interval_is_no_usual_one():
    job = {
        "a_scores": 16.0,
        "b_scores": 10.0,
        "ties": 0.0,
        "inference_error": 0.0,
        "winrate": 0.38,
        "lower_rate": 0.23,
        "upper_rate": 0.56,
    }
    audit = found(audit_job(job, None, {}))
    assert set(audit) == {"job: lower_rate, upper_rate", "job: that A is ahead"}
    assert "0.224 to 0.575" in audit["job: lower_rate, upper_rate"].recomputed


def test_wrong_counts_means_and_notes_are_listed(tmp_path):
    rows = [details.pairwise_metrics("[[A>B]]", "[[B>A]]", a_scores=1.0, b_scores=1.0)]
    notes = Counter()
    judgments = list(read_judgments(details.write(tmp_path / "d.parquet", rows), notes))
    job = {"a_scores": 1.0, "b_scores": 1.0, "winrate": 0.9, "weighted_score_A": 0.2}
    audit = found(audit_job(job, judgments, notes))
    assert audit["details, 1 rows"].recomputed == COUNTS_DIFFER
    assert audit["job: a_scores"].recomputed == "2"
    assert audit["job: b_scores"].recomputed == "0"
    assert audit["job: winrate"].recomputed == "0.5"
    rubric = audit_job({"weighted_score_A": 0.225}, [judgment_of(details.NOTRE_DAME)[0]], {})
    assert found(rubric)["job: weighted_score_A"].recomputed == "0.175"


def test_our_own_report_holds_and_every_changed_figure_is_found(tmp_path):
    run = runs.write_run(tmp_path / "run", runs.generated_rows(60))
    rows = runs.generated_rows(60)
    metrics = orjson.loads((run / "report/metrics.json").read_bytes())
    assert audit_report(metrics, rows).findings == ()
    changed = json.loads(json.dumps(metrics))
    changed["win_rate"]["high"] += 0.01
    changed["rows"]["judged"] += 1
    changed["rubric"]["criteria"][0]["mean_A"] += 1e-6
    changed["rubric"]["driver"]["group"] = "tone?"
    changed["verdict"]["word"] = "B better" if changed["verdict"]["word"] != "B better" else "x"
    where = set(found(audit_report(changed, rows)))
    assert where == {
        "metrics.json: win_rate.high",
        "metrics.json: rows.judged",
        "metrics.json: rows.input",
        "metrics.json: rubric.criteria[0].mean_A",
        "metrics.json: rubric.driver.group",
        "metrics.json: verdict.word",
    }


def test_a_report_s_quoted_job_figures_are_checked_against_its_rows(tmp_path):
    rows = runs.generated_rows(30)
    run = runs.write_run(tmp_path / "run", rows)
    metrics = orjson.loads((run / "report/metrics.json").read_bytes())
    passes = [one for row in rows for one in (row.judgment.forward, row.judgment.backward)]
    job = {
        "a_scores": passes.count("A"),
        "b_scores": passes.count("B"),
        "weighted_score_A": metrics["rubric"]["weighted_score_A"]["mean"],
        "weighted_score_A_stderr": 0.5,
    }
    where = set(found(audit_report({**metrics, "job": job}, rows)))
    assert where == {"job: weighted_score_A_stderr"}
    job["b_scores"] += 1
    assert "job: b_scores" in found(audit_report({**metrics, "job": job}, rows))


@pytest.mark.parametrize("form", ["run", "report", "details", "results", "folder"])
def test_the_command_reads_whatever_a_job_left(tmp_path, form):
    details.write(tmp_path / "details_x.parquet", [details.PHOTOSYNTHESIS])
    results = {"results": {"all": {"a_scores": 0.0, "b_scores": 2.0, "weighted_score_A": 0.425}}}
    (tmp_path / "results_x.json").write_text(json.dumps(results))
    run = runs.write_run(tmp_path.parent / f"{tmp_path.name}-run", runs.generated_rows(9))
    source, code = {
        "run": (run, 0),
        "report": (run / "report/metrics.json", 0),
        "details": (tmp_path / "details_x.parquet", 1),
        "results": (tmp_path / "results_x.json", 1),
        "folder": (tmp_path, 1),
    }[form]
    result = CliRunner().invoke(app, ["audit", str(source), "--json"])
    assert result.exit_code == code, result.output
    findings = json.loads(result.stdout)["findings"]
    assert bool(findings) == bool(code)


def test_a_folder_without_anything_to_audit_is_an_error(tmp_path):
    result = CliRunner().invoke(app, ["audit", str(tmp_path)])
    assert "name a run" in str(result.exception)
