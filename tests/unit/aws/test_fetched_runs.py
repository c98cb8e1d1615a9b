import json

import pytest
from typer.testing import CliRunner

from nova_judge.aws.fetched_runs import open_run
from nova_judge.cli.main import app
from nova_judge.errors import SavedReportError
from nova_judge.findings.saved_report import open_report
from tests.made import runs


def uploaded(bucket, run):
    for path in (run / "report").iterdir():
        bucket.upload_file(str(path), "data", f"runs/{run.name}/report/{path.name}")


@pytest.mark.parametrize("ending", ["", "/", "/report", "/report/"])
def test_a_run_in_s3_is_fetched(bucket, tmp_path, ending):
    rows = runs.generated_rows(5)
    uploaded(bucket, runs.write_run(tmp_path / "r1", rows))
    folder = open_run(f"s3://data/runs/r1{ending}", tmp_path / "here")
    assert list(open_report(folder).rows()) == rows
    assert folder == tmp_path / "here"


def test_a_scoring_run_in_s3_brings_its_scores_and_its_page(bucket, tmp_path):
    files = ("metrics.json", "scores.parquet", "report.md", "report.html")
    (tmp_path / "r1" / "report").mkdir(parents=True)
    for name in files:
        (tmp_path / "r1" / "report" / name).touch()
    uploaded(bucket, tmp_path / "r1")
    folder = open_run("s3://data/runs/r1/", tmp_path / "here")
    assert {path.name for path in (folder / "report").iterdir()} == set(files)


@pytest.mark.parametrize(
    "command",
    [
        ["leaderboard", "s3://data/runs/r1/", "--json"],
        ["plan", "--difference", "0.05", "--like", "s3://data/runs/r1/", "--json"],
        ["compare", "s3://data/runs/r1/", "s3://data/runs/r1/", "--json", "--level", "0.9"],
        ["cross-check", "s3://data/runs/r1/", "s3://data/runs/r1/", "--json"],
    ],
    ids=lambda command: command[0],
)
def test_commands_read_runs_in_s3(bucket, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    uploaded(bucket, runs.write_run(tmp_path / "r1", runs.generated_rows(40)))
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout)


@pytest.mark.parametrize("command", ["leaderboard", "plan", "stats", "compare", "gate"])
def test_the_level_has_one_name_in_every_command(command):
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert "--confidence" in shown
    assert "--level" in shown


def test_what_is_no_run_is_an_error(bucket):
    with pytest.raises(SavedReportError, match=r"holds no metrics\.json"):
        open_run("s3://data/runs/none/")
    with pytest.raises(SavedReportError, match="cannot be read"):
        open_run("s3://no-such-bucket/runs/none/")


def test_a_folder_stays_where_it_is(tmp_path):
    assert open_run(str(tmp_path)) == tmp_path
