"""Jobs that others ran: their output becomes a run folder, and every command reads it directly."""

import json
import tarfile

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import JudgeJobError, SavedReportError
from nova_judge.findings.saved_report import open_report
from nova_judge.statistics.evidence import Basis
from nova_judge.steps.import_job import report_at
from tests.made import jobs
from tests.made.command_line import asked

RUNNER = CliRunner()


@pytest.fixture
def post(tmp_path):
    return jobs.post(tmp_path / "output.tar.gz")


def pairs_file(folder, rows=11, failed=()):
    file = folder / "llm_judge.jsonl"
    lines = [
        {
            "prompt": f"question {n}?",
            "response_A": "[Qwen2.5 generation failed: 503]" if n in failed else f"answer A {n}",
            "response_B": f"answer B {n}",
        }
        for n in range(1, rows + 1)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_the_second_posts_archive_is_a_report_of_one_order_that_decides_nothing(post, tmp_path):
    out = tmp_path / "run"
    asked("import", post, "--out", out, "--name-a", "qwen-1.5b", "--name-b", "qwen-7b")
    metrics = open_report(out).metrics
    assert metrics.basis is Basis.ONE_ORDER
    assert (metrics.reconciled.a, metrics.reconciled.b, metrics.reconciled.errors) == (3, 7, 1)
    assert metrics.verdict.word == "inconclusive"
    assert round(metrics.verdict.p_value, 3) == 0.344
    assert (metrics.win_rate.estimate, metrics.name("B")) == (0.7, "qwen-7b")
    assert metrics.created == "2025-11-20T10:11:12Z"
    assert (metrics.kind, metrics.judge.model) == ("rubric_llm_judge", "nova-micro/prod")
    assert metrics.rubric.criteria[0].n == 10
    page = (out / "report/report.html").read_text()
    assert "One order" in page
    assert "both orders name" not in page.lower()
    assert {path.name for path in (out / "report").iterdir()} == {
        *("metrics.json", "judgments.parquet", "report.html", "report.md"),
        *("figure.png", "figure.svg", "junit.xml"),
    }


def test_every_figure_of_an_imported_job_of_one_pass_holds(tmp_path):
    archive = jobs.post(tmp_path / "output.tar.gz")
    asked("import", archive, "--out", tmp_path / "run")
    assert asked("audit", tmp_path / "run").exit_code == 0


@pytest.mark.parametrize("name", ["archive", "folder", "unpacked"])
def test_commands_read_a_jobs_output_wherever_it_lies(post, tmp_path, name):
    source = post
    if name == "folder":
        source = jobs.post(tmp_path / "job/output/output.tar.gz").parents[1]
    if name == "unpacked":
        source = tmp_path / "unpacked"
        with tarfile.open(post) as tar:
            tar.extractall(source, filter="data")
    gate = asked("gate", source, "--max-errors", "0.2")
    assert gate.exit_code == 2
    assert "win rate of B 70.0 % (95 % interval 39.4 to 90.7 %)" in gate.stdout
    assert "B>A" in asked("rows", source, "--limit", "1").stdout
    assert "Inconclusive" in asked("report", source).stdout
    assert asked("report", source, "--out", tmp_path / "page").exit_code == 0


def test_a_jobs_output_is_reweighed_as_its_imported_run_is(post, tmp_path):
    asked("import", post, "--out", tmp_path / "run")
    of_job = asked("reweight", post, "--drop", "clarity", "--json").stdout
    assert json.loads(of_job)["win_rate"]["estimate"] == 1.0
    assert of_job == asked("reweight", tmp_path / "run", "--drop", "clarity", "--json").stdout


def test_what_the_file_cannot_use_is_set_aside_although_it_was_judged(post, tmp_path):
    pairs, out = pairs_file(tmp_path, failed={2}), tmp_path / "run"
    asked("import", post, "--pairs", pairs, "--out", out)
    metrics = open_report(out).metrics
    rows = metrics.rows
    assert (rows.input, rows.rejected, rows.judged, rows.judge_failed) == (11, 1, 9, 1)
    assert (metrics.reconciled.a, metrics.reconciled.b) == (3, 6)
    assert json.loads((out / "rejected.jsonl").read_text())["line"] == 2
    lines = [judged.row.line for judged in open_report(out).rows()]
    assert lines == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    exported = tmp_path / "dpo.jsonl"
    asked("export", out, "--out", exported)
    assert json.loads(exported.read_text().splitlines()[0]) == {
        "prompt": "question 1?",
        "chosen": "answer B 1",
        "rejected": "answer A 1",
    }


def test_a_file_that_was_not_given_to_the_job_is_refused(post, tmp_path):
    pairs = pairs_file(tmp_path, rows=7, failed={2})
    done = RUNNER.invoke(app, ["import", str(post), "--pairs", str(pairs), "--out", "no"])
    assert isinstance(done.exception, JudgeJobError)
    assert "has 7 lines, of which 6 can be used, and the job judged 11 rows" in str(done.exception)


def test_both_orders_of_the_pairwise_judge_count(tmp_path):
    row = {"forward_output": "[[A>B]]", "backward_output": "[[B>A]]", "a_scores": 2, "b_scores": 0}
    counts = {"a_scores": 12, "b_scores": 0, "ties": 0, "inference_error": 0, "score": 0}
    held = jobs.files(jobs.PAIRWISE, counts, [row] * 6)
    metrics = report_at(str(jobs.archive(tmp_path / "output.tar.gz", held))).metrics
    assert (metrics.kind, metrics.basis) == ("llm_judge", Basis.BOTH_ORDERS)
    assert (metrics.reconciled.a, metrics.reconciled.b) == (6, 0)
    assert metrics.clusters is None


def test_own_data_are_scored_again_from_the_answers_own_lines(tmp_path):
    answers = [
        {"prompt": "2 + 2?", "gold": "four", "inference": ["four"]},
        {"prompt": "3 + 3?", "gold": "six", "inference": ["seven"]},
        {"prompt": "4 + 4?", "gold": "eight", "inference": None},
    ]
    held = jobs.files(jobs.OWN_DATA, {"em": 0.5}, [{"em": 1.0}, {"em": 0.0}, {}], answers)
    report = report_at(str(jobs.archive(tmp_path / "output.tar.gz", held)))
    means = {score.metric: (score.estimate, score.rows) for score in report.metrics.scores}
    assert report.metrics.kind == "gen_qa"
    assert means["em"] == (0.5, 2)
    assert (report.metrics.rows.input, report.metrics.rows.judged) == (3, 2)
    assert report.metrics.judge.model == "nova-micro/prod"


def test_a_bedrock_evaluation_of_two_models_is_compared_row_by_row(tmp_path):
    folder = tmp_path / "evaluation"
    for model, score in (("claude", 1.0), ("nova", 0.5)):
        file = folder / f"u/models/{model}/taskTypes/General/datasets/d/u_output.jsonl"
        file.parent.mkdir(parents=True)
        lines = [
            jobs.judged_line(f"q{n}?", f"{model} {n}", model, Correctness=score, Harmfulness=0.0)
            for n in range(6)
        ]
        file.write_text("\n".join(lines))
    asked("import", folder, "--out", tmp_path / "run")
    metrics = open_report(tmp_path / "run").metrics
    assert metrics.kind == "bedrock_judge"
    assert (metrics.name("A"), metrics.name("B")) == ("claude", "nova")
    assert metrics.judge.model == "us.amazon.nova-pro-v1:0"
    difference = next(one for one in metrics.differences if one.metric == "Correctness")
    assert (difference.estimate, difference.rows) == (-0.5, 6)
    assert next(one for one in metrics.differences if one.metric == "Harmfulness").better == "lower"
    file = folder / "u/models/nova/taskTypes/General/datasets/d/u_output.jsonl"
    assert report_at(str(file)).metrics.name("A") == "nova"


def test_equal_output_is_one_run_and_an_existing_folder_stays(post, tmp_path):
    first, again = report_at(str(post)).metrics, report_at(str(post)).metrics
    assert first.run_id == again.run_id
    (tmp_path / "run").mkdir()
    done = RUNNER.invoke(app, ["import", str(post), "--out", str(tmp_path / "run")])
    assert "exists already" in str(done.exception)


def test_archives_in_s3_are_read(post, bucket):
    bucket.upload_file(str(post), "data", "jobs/j-1/output/output.tar.gz")
    assert report_at("s3://data/jobs/j-1/output/output.tar.gz").metrics.reconciled.b == 7


def test_what_is_no_jobs_output_is_named(tmp_path):
    done = RUNNER.invoke(app, ["import", str(tmp_path / "none"), "--out", str(tmp_path / "run")])
    assert isinstance(done.exception, SavedReportError)
    (tmp_path / "empty").mkdir()
    done = RUNNER.invoke(app, ["import", str(tmp_path / "empty"), "--out", str(tmp_path / "run")])
    assert "no output of an evaluation job is there" in str(done.exception)
    for name in ("one", "two"):
        jobs.post(tmp_path / "jobs" / name / "output.tar.gz")
    done = RUNNER.invoke(app, ["import", str(tmp_path / "jobs"), "--out", str(tmp_path / "run")])
    assert "holds 2 jobs" in str(done.exception)
    assert not (tmp_path / "run").exists()
