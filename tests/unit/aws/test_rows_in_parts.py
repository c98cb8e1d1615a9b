"""Runs of very many rows in S3, whose `judgments.parquet` is a folder, as all others are read."""

import json

import pytest
from typer.testing import CliRunner

import nova_judge as nj
from nova_judge.aws import fetched_runs
from nova_judge.aws.fetched_runs import LabelObjects, RunMirror, open_run
from nova_judge.aws.submissions import download_report
from nova_judge.cli.main import app
from nova_judge.errors import SavedReportError
from nova_judge.findings.saved_report import JUDGMENTS, open_report
from nova_judge.records import Verdict
from nova_judge.report.report_server import ServedFolder
from nova_judge.review.labels import Draw, DrawnRow, ReviewLabel, write_draw, write_labels
from tests.made import generated
from tests.made.runs import in_parts, write_run

ROWS = generated.judged_rows(60)
AT = "2026-11-29T12:00:00+00:00"
PARTS = ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
ASKED = "/many/report/rows.json?verdict=B&sort=-margin&most=200"


@pytest.fixture
def many(bucket, tmp_path):
    """A run in three parts, in S3."""
    run = in_parts(write_run(tmp_path / "many", ROWS), 25)
    upload(bucket, run)
    return run


def upload(bucket, run):
    for path in run.rglob("*"):
        if path.is_file():
            key = f"runs/{run.name}/{path.relative_to(run)}"
            bucket.upload_file(str(path), "data", key)


def test_rows_of_a_bucket_are_served_from_parts_as_from_one_file(many, tmp_path):
    mirror = RunMirror("s3://data/")
    from_parts = ServedFolder(mirror.folder, mirror).content(ASKED)
    write_run(tmp_path / "whole" / "many", ROWS)
    whole = ServedFolder(tmp_path / "whole").content(ASKED)
    assert from_parts == whole
    assert json.loads(whole.body)["all"] == 60
    report = mirror.folder / "many" / "report"
    assert sorted(path.name for path in (report / JUDGMENTS).iterdir()) == PARTS
    assert sorted(path.name for path in report.iterdir()) == [JUDGMENTS, "metrics.json"]


def test_the_pages_of_a_folder_read_parts(many, tmp_path):
    write_run(tmp_path / "whole" / "many", ROWS)
    assert ServedFolder(many.parent).content(ASKED) == ServedFolder(tmp_path / "whole").content(
        ASKED
    )


def test_parts_that_come_halfway_are_no_rows_and_come_whole_later(many, monkeypatch):
    mirror = RunMirror("s3://data/")
    served = ServedFolder(mirror.folder, mirror)

    def broken(bucket, key, target):
        if key.endswith(PARTS[1]):
            raise SavedReportError("the connection was lost")
        target.touch()

    with monkeypatch.context() as patched:
        patched.setattr(fetched_runs, "fetch_object", broken)
        with pytest.raises(SavedReportError, match="the connection was lost"):
            served.content(ASKED)
    assert json.loads(served.content(ASKED).body)["all"] == 60


def test_parts_with_names_that_lead_elsewhere_are_left_alone(many, bucket):
    for name in ("../../metrics.json", "deep/part-00009.parquet", ".hidden", ""):
        bucket.put_object(Bucket="data", Key=f"runs/many/report/{JUDGMENTS}/{name}", Body=b"x")
    mirror = RunMirror("s3://data/")
    assert ServedFolder(mirror.folder, mirror).content(ASKED) is not None
    held = mirror.folder / "many" / "report" / JUDGMENTS
    assert sorted(path.name for path in held.iterdir()) == PARTS
    folder = open_run("s3://data/runs/many/") / "report" / JUDGMENTS
    assert sorted(path.name for path in folder.iterdir()) == PARTS


@pytest.mark.parametrize("in_s3", [True, False])
def test_python_reads_parts_as_one_table(many, in_s3):
    run = nj.open("s3://data/runs/many/" if in_s3 else many)
    table = run.rows("arrow")
    assert table.column("line").to_pylist() == [judged.row.line for judged in ROWS]
    assert list(run.rows()["id"]) == [judged.row.id for judged in ROWS]
    assert list(run.judgments()) == ROWS


def test_a_fetched_run_has_the_parts_of_this_run_alone(many, bucket, tmp_path):
    here = tmp_path / "here"
    open_run("s3://data/runs/many/", here)
    upload(bucket, in_parts(write_run(tmp_path / "few", ROWS[:30]), 25))
    assert list(open_report(open_run("s3://data/runs/few/", here)).rows()) == ROWS[:30]
    upload(bucket, write_run(tmp_path / "one", ROWS[:7]))
    assert list(open_report(open_run("s3://data/runs/one/", here)).rows()) == ROWS[:7]
    assert list(open_report(open_run("s3://data/runs/many/", here)).rows()) == ROWS


def test_a_submitted_run_s_report_keeps_its_folders(many, bucket, tmp_path):
    pair = "runs/many/report/pairs/a-vs-b/metrics.json"
    bucket.put_object(Bucket="data", Key=pair, Body=b"of a pair")
    report = download_report("data", "many", tmp_path / "got")
    assert list(open_report(report).rows()) == ROWS
    assert (report / "pairs" / "a-vs-b" / "metrics.json").read_bytes() == b"of a pair"


def test_a_report_written_elsewhere_has_the_parts_of_this_run_alone(many, tmp_path):
    few = in_parts(write_run(tmp_path / "few", ROWS[:30]), 25)
    one = write_run(tmp_path / "one", ROWS[:7])
    for run, rows in ((many, ROWS), (few, ROWS[:30]), (one, ROWS[:7]), (many, ROWS)):
        done = CliRunner().invoke(app, ["report", str(run), "--out", str(tmp_path / "out")])
        assert done.exit_code == 0, done.output
        assert list(open_report(tmp_path / "out").rows()) == rows


def test_a_run_in_parts_is_reviewed_where_it_lies(many, bucket):
    store = LabelObjects("s3://data/runs/many/")
    drawn = tuple(DrawnRow(line, 0.5) for line in range(1, 31))
    write_draw(store, Draw(run_id="many", budget=30, seed=1, created=AT, rows=drawn))
    write_labels(store, "anna", {n: ReviewLabel(n, Verdict.B, "AB", AT) for n in range(1, 31)})
    done = CliRunner().invoke(app, ["review", "s3://data/runs/many/", "--report"])
    assert done.exit_code == 0, done.output
    assert "labelled by anna (30)" in " ".join(done.output.split())
    listed = bucket.list_objects_v2(Bucket="data", Prefix=f"runs/many/report/{JUDGMENTS}")
    names = [item["Key"].rpartition("/")[2] for item in listed["Contents"]]
    assert names == PARTS
