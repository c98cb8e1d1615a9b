import json
from collections import Counter
from statistics import fmean, stdev

import numpy as np
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.findings.audited_figures import audit_job, audit_report
from nova_judge.findings.saved_report import open_report
from nova_judge.pairs.job_figures import job_figures
from nova_judge.pairs.job_findings import FindingKind
from nova_judge.pairs.judge_output import judgment_of, read_judgments
from nova_judge.pairs.passes import COUNTS_DIFFER
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import count_profiles
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made import details, jobs, runs
from tests.made.changed import changed

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
    assert claim.kind is FindingKind.UNSUPPORTED
    assert "p = 0.344" in claim.recomputed
    assert "0.397 to 0.892" in claim.recomputed


def test_the_first_post_s_interval_is_no_usual_one():
    audit = found(audit_job(jobs.FIRST_POST, None, {}))
    assert set(audit) == {"job: lower_rate, upper_rate", "job: that A is ahead"}
    assert "0.224 to 0.575" in audit["job: lower_rate, upper_rate"].recomputed


def test_an_interval_without_one_half_is_not_said_to_contain_it():
    [claim] = audit_job({"a_scores": 6, "b_scores": 16}, None, {}).findings
    assert "p = 0.052" in claim.recomputed
    assert "0.518 to 0.868" in claim.recomputed
    assert "contains" not in claim.recomputed


@pytest.mark.parametrize(("a", "b", "ties"), [(16, 10, 0), (3, 7, 1), (20, 20, 5), (60, 80, 20)])
def test_a_percentile_bootstrap_of_a_thousand_resamples_is_a_usual_interval(a, b, ties):
    draw = np.random.default_rng(a)
    listed = 0
    for _ in range(40):
        rates = draw.binomial(a + b, b / (a + b), size=1_000) / (a + b)
        low, high = np.percentile(rates, [2.5, 97.5])
        job = {"a_scores": a, "b_scores": b, "ties": ties, "lower_rate": low, "upper_rate": high}
        listed += "job: lower_rate, upper_rate" in found(audit_job(job, None, {}))
    assert listed <= 1


@pytest.mark.parametrize("counts", [{}, {"a_scores": 10, "b_scores": 90}])
def test_an_interval_beside_its_own_win_rate_is_listed(counts):
    job = {"winrate": 0.9, "lower_rate": 0.3, "upper_rate": 0.5, **counts}
    [off] = [one for one in audit_job(job, None, {}).findings if "rate" in one.where]
    assert "0.900 lies outside" in off.recomputed


@pytest.mark.parametrize("wrong", [-5, -0.5, 1e308, 2**53])
def test_numbers_that_are_no_counts_are_listed_and_harm_nothing(wrong):
    job = dict.fromkeys(("a_scores", "b_scores", "ties"), wrong) | {"winrate": 0.5}
    job |= {"lower_rate": 0.1, "upper_rate": 0.9, "error_rate": 0.1, "score": 3}
    job |= {"a_scores_stderr": 0.1, "inference_error": 0}
    rows = [judgment_of(details.NOTRE_DAME)[0]] * 3
    for judgments in (None, rows):
        where = found(audit_job(job, judgments, {}))
        assert {"job: a_scores", "job: b_scores", "job: ties"} <= set(where)
        assert where["job: a_scores"].recomputed == "no count of judgments"


@pytest.mark.parametrize("unknown", [10**400, float("inf"), float("nan"), "3", True, None])
def test_what_is_no_number_is_not_checked(unknown):
    job = {"a_scores": unknown, "winrate": unknown, "a_scores_stderr": unknown}
    rows = [judgment_of(details.NOTRE_DAME)[0]]
    assert not [one for one in audit_job(job, rows, {}).findings if one.kind is FindingKind.DIFFERS]


def test_standard_errors_and_the_score_are_checked():
    rows = [row.judgment for row in runs.generated_rows(60)]
    passes = [one for row in rows for one in (row.forward, row.backward)]
    b = passes.count("B")
    of_rows = [(row.forward, row.backward).count("B") for row in rows]
    error = stdev(of_rows) / len(rows) ** 0.5
    job = {"a_scores": passes.count("A"), "b_scores": b, "score": b, "score_stderr": error}
    assert not {"job: score", "job: score_stderr"} & set(found(audit_job(job, rows, {})))
    wrong = job | {"a_scores_stderr": 99.0, "score": 7 * b, "score_stderr": 123.0}
    where = {"job: a_scores_stderr", "job: score", "job: score_stderr"}
    assert where <= set(found(audit_job(wrong, rows, {})))


def unequal_weights(total):
    row = json.loads(json.dumps(details.NOTRE_DAME))
    for fields in row["criteria_breakdown"].values():
        fields["weight"] *= total
    for name in ("weighted_score_A", "weighted_score_B", "score_margin"):
        row[name] *= total
    return row


def test_weights_that_do_not_sum_to_one_may_stay_as_they_are_in_rows_and_means():
    rows = [unequal_weights(0.9), unequal_weights(1.0), details.NOTRE_DAME]
    judgments = [judgment_of(row)[0] for row in rows]
    values = [row["weighted_score_A"] for row in rows]
    job = {"weighted_score_A": fmean(values), "weighted_score_A_stderr": stdev(values) / 3**0.5}
    assert audit_job(job, judgments, {}).findings == ()
    normalised = {"weighted_score_A": 0.175, "weighted_score_A_stderr": 0.0}
    assert audit_job(normalised, judgments, {}).findings == ()
    assert "job: weighted_score_A" in found(audit_job({"weighted_score_A": 0.1}, judgments, {}))


def test_one_wrong_score_of_a_row_does_not_make_its_other_reading_wrong():
    row = unequal_weights(0.9) | {"weighted_score_A": 0.5}
    assert set(found(audit_job(None, [judgment_of(row)[0]], {}))) == {"row 0: weighted_score_A"}


def test_a_report_s_notes_are_what_the_audit_lists(tmp_path):
    rows = runs.generated_rows(40)
    job = {"a_scores": 12.0, "b_scores": 3.0, "winrate": 0.6, "a_scores_stderr": 7.0}
    job |= {"lower_rate": 0.5, "upper_rate": 0.65}
    judgments = [row.judgment for row in rows]
    notes = job_figures(job, count_profiles(judgments), DEFAULTS).notes
    audit = audit_job(job, judgments, {})
    listed = [one.note for one in audit.findings if one.kind is FindingKind.DIFFERS]
    assert notes
    assert [note for note in listed if not note.startswith("row ")] == list(notes)


def test_wrong_counts_means_and_notes_are_listed(tmp_path):
    rows = [details.pairwise_metrics("[[A>B]]", "[[B>A]]", a_scores=1.0, b_scores=1.0)]
    notes = Counter()
    judgments = list(read_judgments(details.write(tmp_path / "d.parquet", rows), notes))
    job = {"a_scores": 1.0, "b_scores": 1.0, "winrate": 0.9, "weighted_score_A": 0.2}
    audit = found(audit_job(job, judgments, notes))
    assert audit["details, 1 row"].recomputed == COUNTS_DIFFER
    assert audit["job: a_scores"].recomputed == "2"
    assert audit["job: b_scores"].recomputed == "0"
    assert audit["job: winrate"].recomputed == "0.5"
    rubric = audit_job({"weighted_score_A": 0.225}, [judgment_of(details.NOTRE_DAME)[0]], {})
    assert found(rubric)["job: weighted_score_A"].recomputed == "0.175"


def test_our_own_report_holds_and_every_changed_figure_is_found(tmp_path):
    run = runs.write_run(tmp_path / "run", runs.generated_rows(60))
    rows = runs.generated_rows(60)
    metrics = open_report(run).metrics
    assert audit_report(metrics, rows).findings == ()
    word = Word.EQUIVALENT if metrics.verdict.word is not Word.EQUIVALENT else Word.B_BETTER
    altered = metrics
    for path, value in (
        ("win_rate.high", metrics.win_rate.high + 0.01),
        ("rows.judged", metrics.rows.judged + 1),
        ("rubric.criteria.0.mean_A", metrics.rubric.criteria[0].mean_A + 1e-6),
        ("rubric.driver.group", "tone?"),
        ("errors.0.count", metrics.errors[0].count + 1),
        ("verdict.word", word),
    ):
        altered = changed(altered, path, value)
    where = set(found(audit_report(altered, rows)))
    assert where == {
        "metrics.json: win_rate.high",
        "metrics.json: rows.judged",
        "metrics.json: rows.input",
        "metrics.json: rubric.criteria[0].mean_A",
        "metrics.json: rubric.driver.group",
        "metrics.json: verdict.word",
        f"metrics.json: errors, {metrics.errors[0].stage}: {metrics.errors[0].reason}",
    }


@pytest.mark.parametrize("reweighed", [False, True])
def test_figures_that_an_earlier_version_did_not_write_are_not_called_wrong(tmp_path, reweighed):
    run = runs.write_run(tmp_path / "run", runs.generated_rows(60))
    if reweighed:
        command = ["report", str(run), "--drop", "tone", "--out", str(tmp_path / "reweighed")]
        assert CliRunner().invoke(app, command).exit_code == 0
        run = tmp_path / "reweighed"
    file = next(run.rglob("metrics.json"))
    written = json.loads(file.read_text())

    def differing():
        file.write_text(json.dumps(written))
        result = CliRunner().invoke(app, ["audit", str(run), "--json"])
        where = [one["where"] for one in json.loads(result.stdout)["findings"]]
        return {name.removeprefix("metrics.json")[1:].strip() for name in where}

    assert differing() == set()
    del written["standard_error"], written["basis"], written["verdict"]["pairs_needed_low"]
    del written["rubric"]["criteria"][0]["shape"], written["verdict"]["could_find"]
    assert differing() == set()
    written["standard_error"] = None  # a figure that is stated, and not that of the rows
    written["reconciled"]["a"] += 1
    assert differing() == {"standard_error", "reconciled.a"}


def test_a_report_s_quoted_job_figures_are_checked_against_its_rows(tmp_path):
    rows = runs.generated_rows(30)
    run = runs.write_run(tmp_path / "run", rows)
    metrics = open_report(run).metrics
    passes = [one for row in rows for one in (row.judgment.forward, row.judgment.backward)]
    job = {
        "a_scores": passes.count("A"),
        "b_scores": passes.count("B"),
        "weighted_score_A": metrics.rubric.weighted_score_A.mean,
        "weighted_score_A_stderr": 0.5,
    }
    profiles = count_profiles(row.judgment for row in rows)

    def listed(job):
        quoting = changed(metrics, "job", job_figures(job, profiles, DEFAULTS))
        return set(found(audit_report(quoting, rows)))

    assert listed(job) == {"job: weighted_score_A_stderr"}
    assert "job: b_scores" in listed(job | {"b_scores": job["b_scores"] + 1})


def test_a_report_s_own_bootstrap_is_recomputed(tmp_path):
    rows = runs.generated_rows(30)
    run = runs.write_run(tmp_path / "run", rows)
    job = job_figures({}, count_profiles(row.judgment for row in rows), DEFAULTS)
    metrics = changed(open_report(run).metrics, "job", job)
    assert audit_report(metrics, rows).findings == ()
    altered = changed(metrics, "job.bootstrap.low", job.bootstrap.low + 0.01)
    assert set(found(audit_report(altered, rows))) == {"metrics.json: job.bootstrap.low"}


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
