"""The report of a scoring run: every file, hostile texts, failed runs, equal bytes."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.findings.metrics import failed_metrics
from nova_judge.records import Rejected, Unscored
from nova_judge.report.report_rows import ScoredAnswers
from nova_judge.report.write import render_report
from nova_judge.scores.scores_parquet import read_scores
from nova_judge.scores.table import AnswerScore, ScoreTable
from tests.made import generated, scored
from tests.made.scored import HOSTILE

WRITTEN = HOSTILE + "\ud800"
"""What a model may write: half a character is no text that a file can hold."""


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
    evidence = ScoredAnswers(scores())
    return dict(render_report(scored.metrics(table), evidence, [Rejected(2, HOSTILE)]))


@pytest.mark.drawn
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
    older = tmp_path / "older.parquet"
    written = pq.read_table(tmp_path / "scores.parquet")
    pq.write_table(written.drop_columns(["cluster"]), older)
    assert read_scores(older) == stored


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
    failed = failed_metrics(generated.facts(5), "judge", "no quota")
    files = dict(render_report(failed))
    assert "no quota" in files["report.html"].decode()
    assert "no quota" in files["report.md"].decode()
