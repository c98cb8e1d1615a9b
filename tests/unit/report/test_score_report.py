"""The report of a scoring run: every file, hostile texts, failed runs, equal bytes."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pyarrow.parquet as pq
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.records import Rejected, Unscored
from nova_judge.report.scores import render_score_report
from nova_judge.scores.headline import score_headline
from nova_judge.scores.scores_parquet import read_scores
from nova_judge.scores.table import AnswerScore, ScoreTable

HOSTILE = "<script>alert(1)</script>\u202e$x^$ & more"
WRITTEN = HOSTILE + "\ud800"
"""What a model may write: half a character is no text that a file can hold."""
METRICS = {
    "schema_version": 1,
    "run_id": "r-1",
    "status": "completed",
    "failure": None,
    "kind": "bedrock_judge",
    "created": "2026-11-21T10:00:00Z",
    "input": {"uri": "s3://b/k.jsonl", "version": "1", "size": 10},
    "recipe": {"name": "mine", "sha256": "0" * 64},
    "candidates": {
        "A": {"name": HOSTILE, "source": "file"},
        "B": {"name": "b", "source": "file"},
    },
    "judge": {"model": "m", "instance_type": None, "jobs": ["j"], "stand_in": None},
    "rows": {"input": 3, "rejected": 1, "generation_failed": 0, "judge_failed": 0, "judged": 2},
    "generation": {"failed": 0, "reasons": [], "cached": 0},
    "cost": None,
    "errors": [{"stage": "input", "reason": HOSTILE, "count": 1}],
    "notes": [HOSTILE],
    "verdict": None,
    "win_rate": None,
}


def scores() -> list[AnswerScore]:
    return [
        AnswerScore(
            side,
            metric,
            row,
            value,
            id=str(row),
            category=HOSTILE,
            explanation=WRITTEN,
            prompt=WRITTEN,
            answer=WRITTEN,
            reference="r",
        )
        for side, value in (("A", 0.25), ("B", 0.75))
        for row in (1, 2)
        for metric in ("Correctness", HOSTILE)
    ] + [
        AnswerScore("A", "Correctness", 3, Unscored("no result")),
        AnswerScore("A", "w", 1, "warm"),
    ]


def rendered() -> dict[str, bytes]:
    table = ScoreTable()
    for score in scores():
        table.add(score)
    figures, differences = table.figures(0.95), table.differences("A", "B", 0.95)
    headline = msgspec.structs.asdict(score_headline(figures, differences, {"A": HOSTILE}))
    told = METRICS | {"scores": figures, "differences": differences, "headline": headline}
    return dict(render_score_report(told, scores(), [Rejected(2, HOSTILE)]))


def test_every_file_is_written_and_reads_back() -> None:
    files = rendered()
    assert set(files) == {
        "metrics.json",
        "scores.parquet",
        "figure.png",
        "figure.svg",
        "report.md",
        "junit.xml",
        "report.html",
    }
    assert json.loads(files["metrics.json"])["scores"]
    table = pq.read_table(io.BytesIO(files["scores.parquet"])).to_pylist()
    assert len(table) == len(scores())
    assert [row["unscored"] for row in table if row["unscored"]] == ["no result"]
    assert [row["word"] for row in table if row["word"]] == ["warm"]
    assert ET.fromstring(files["junit.xml"]).tag == "testsuite"  # noqa: S314 - our own bytes
    assert files["figure.png"].startswith(b"\x89PNG")


def test_scores_read_again_are_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").write_bytes(rendered()["scores.parquet"])
    stored = [
        score._replace(
            **{
                name: value.replace("\ud800", "\ufffd")
                for name, value in score._asdict().items()
                if isinstance(value, str)
            }
        )
        for score in scores()
    ]
    assert read_scores(tmp_path / "scores.parquet") == stored


def test_the_command_writes_the_report_anew(tmp_path: Path) -> None:
    for name, content in rendered().items():
        (tmp_path / name).write_bytes(content)
    written = CliRunner().invoke(app, ["report", str(tmp_path), "--out", str(tmp_path / "new")])
    assert written.exit_code == 0
    for name in ("metrics.json", "scores.parquet", "figure.svg", "report.md", "junit.xml"):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / name).read_bytes(), name
    assert "<h1" in (tmp_path / "new" / "report.html").read_text()


def test_hostile_texts_stay_texts() -> None:
    files = rendered()
    page = files["report.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "script-src" not in page  # the policy allows no script at all
    assert "<script" not in files["report.md"].decode()


def test_equal_runs_give_equal_bytes() -> None:
    assert rendered() == rendered()


def test_a_failed_run_has_a_report_that_says_why() -> None:
    failed = METRICS | {
        "status": "failed",
        "failure": {"stage": "judge", "reason": "no quota"},
        "rows": METRICS["rows"] | {"judged": None, "judge_failed": None},
        "candidates": {},
        "notes": [],
    }
    files = dict(render_score_report(failed, ()))
    assert "no quota" in files["report.html"].decode()
    assert "no quota" in files["report.md"].decode()
