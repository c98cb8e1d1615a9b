"""Runs of a bucket, served as those of a folder."""

import pytest

from nova_judge.aws.fetched_runs import RunMirror
from nova_judge.aws.submissions import download_report
from nova_judge.errors import SavedReportError
from nova_judge.report.report_server import ServedFolder
from tests.made import generated
from tests.made.runs import write_run


@pytest.fixture
def bucket(bucket, tmp_path):
    for name in ("one", "two"):
        run = write_run(tmp_path / name, generated.judged_rows(30))
        for path in (run / "report").iterdir():
            bucket.upload_file(str(path), "data", f"runs/{name}/report/{path.name}")
    bucket.put_object(Bucket="data", Key="runs/begun/request.json", Body=b"{}")
    return bucket


@pytest.mark.parametrize("uri", ["s3://data", "s3://data/", "s3://data/runs/"])
def test_the_runs_of_a_bucket_are_listed_and_their_rows_come_when_asked_for(bucket, uri):
    mirror = RunMirror(uri)
    served = ServedFolder(mirror.folder, mirror)
    index = served.content("/").body.decode()
    assert "2 runs" in index
    assert 'href="one/report/report.html"' in index
    assert not list(mirror.folder.rglob("*.parquet"))
    rows = served.content("/one/report/rows.json?verdict=B").body
    assert b'"all":30' in rows
    assert [path.parent.parent.name for path in mirror.folder.rglob("*.parquet")] == ["one"]
    assert served.content("/none/report/metrics.json") is None


def test_the_index_of_headlines_is_asked_first(bucket):
    bucket.put_object(Bucket="data", Key="runs/_index/two.json", Body=b"{}")
    mirror = RunMirror("s3://data/")
    mirror.refresh()
    assert [path.name for path in mirror.folder.iterdir()] == ["two"]


def test_keys_that_lead_elsewhere_or_cannot_be_files_are_left_alone(bucket):
    hostile = ("../../two/report/report.html", "../x.jsonl", "", "a/", "a\x00b", "n" * 300)
    for name in (*hostile, "anna.jsonl"):
        bucket.put_object(Bucket="data", Key=f"runs/one/labels/{name}", Body=b"planted")
    for run in ("../one", "n" * 300, "a\x00b"):
        bucket.put_object(Bucket="data", Key=f"runs/_index/{run}.json", Body=b"{}")
    bucket.put_object(Bucket="data", Key="runs/_index/one.json", Body=b"{}")
    mirror = RunMirror("s3://data/")
    mirror.refresh()
    mirror.fetch(mirror.folder / "one" / "report" / "report.html")
    assert sorted(path.name for path in (mirror.folder / "one" / "labels").iterdir()) == [
        "anna.jsonl"
    ]
    assert [path.name for path in mirror.folder.iterdir()] == ["one"]


def test_the_report_of_a_submitted_run_takes_plain_files_alone(bucket, tmp_path):
    for name in ("", "..", "a\x00b", "report.md"):
        bucket.put_object(Bucket="data", Key=f"runs/r-1/report/{name}", Body=b"x")
    folder = download_report("data", "r-1", tmp_path)
    assert [path.name for path in folder.iterdir()] == ["report.md"]


def test_a_run_that_ends_later_appears(bucket):
    mirror = RunMirror("s3://data/")
    mirror.refresh()
    source = {"Bucket": "data", "Key": "runs/one/report/metrics.json"}
    bucket.copy_object(Bucket="data", Key="runs/begun/report/metrics.json", CopySource=source)
    mirror.refresh()
    assert sorted(path.name for path in mirror.folder.iterdir()) == ["begun", "one", "two"]


def test_a_bucket_that_cannot_be_read_is_named(bucket):
    with pytest.raises(SavedReportError, match="s3://none/runs/ cannot be read"):
        RunMirror("s3://none/").refresh()
