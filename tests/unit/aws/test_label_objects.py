"""Labels in S3: read and written where the run lies, and the report made anew there."""

import pytest
from typer.testing import CliRunner

from nova_judge.aws.fetched_runs import LabelObjects
from nova_judge.cli.main import app
from nova_judge.errors import ReviewError
from nova_judge.findings.metrics_record import decode_metrics
from nova_judge.records import Verdict
from nova_judge.review.labels import Draw, DrawnRow, ReviewLabel, write_draw, write_labels
from tests.made import generated
from tests.made.runs import write_run

AT = "2026-11-29T12:00:00+00:00"


@pytest.mark.parametrize(
    "run", ["s3://data/runs/r1", "s3://data/runs/r1/", "s3://data/runs/r1/report/"]
)
def test_labels_lie_in_the_runs_own_folder(bucket, run):
    labels = LabelObjects(run)
    assert labels.where == "s3://data/runs/r1/labels"
    assert (labels.names(), labels.read("anna.jsonl")) == ([], None)
    labels.write("anna.jsonl", b"one")
    labels.write("anna.jsonl", b"two")
    bucket.put_object(Bucket="data", Key="runs/r1/labels/deep/x", Body=b"")
    assert labels.names() == ["anna.jsonl"]
    assert labels.read("anna.jsonl") == b"two"
    assert (
        bucket.get_object(Bucket="data", Key="runs/r1/labels/anna.jsonl")["Body"].read() == b"two"
    )


def test_only_names_that_can_be_files_are_labels(bucket):
    for name in ("", "a\x00b", "n" * 300, "..", ".hidden", "anna.jsonl"):
        bucket.put_object(Bucket="data", Key=f"runs/r1/labels/{name}", Body=b"")
    assert LabelObjects("s3://data/runs/r1").names() == ["anna.jsonl"]


def test_a_bucket_that_is_not_there_is_named(bucket):
    with pytest.raises(ReviewError, match="s3://none/runs/r1/labels cannot be used"):
        LabelObjects("s3://none/runs/r1").names()


@pytest.mark.slow
def test_the_report_in_s3_is_made_anew(bucket, tmp_path):
    rows = generated.judged_rows(60)
    run = write_run(tmp_path / "r1", rows)
    for path in (run / "report").iterdir():
        bucket.upload_file(str(path), "data", f"runs/r1/report/{path.name}")
    store = LabelObjects("s3://data/runs/r1/")
    drawn = tuple(DrawnRow(line, 0.5) for line in range(1, 31))
    write_draw(store, Draw(run_id="r1", budget=30, seed=1, created=AT, rows=drawn))
    labels = {line: ReviewLabel(line, Verdict.B, "AB", AT) for line in range(1, 31)}
    write_labels(store, "anna", labels)
    done = CliRunner().invoke(app, ["review", "s3://data/runs/r1/", "--report"])
    assert done.exit_code == 0, done.output
    assert "labelled by anna (30)" in " ".join(done.output.split())
    content = bucket.get_object(Bucket="data", Key="runs/r1/report/metrics.json")["Body"].read()
    assert decode_metrics(content, "m").review.labelled == 30
    page = bucket.get_object(Bucket="data", Key="runs/r1/report/report.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert b"What people say" in page["Body"].read()
