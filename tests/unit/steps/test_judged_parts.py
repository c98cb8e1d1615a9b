"""Rows read a judge job at a time say what one pass over all of them says."""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.findings.judgments import read_judgments
from nova_judge.findings.metrics import compute_metrics, metrics_of
from nova_judge.findings.run_evidence import join_parts
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.layout import RunLayout
from nova_judge.records import JudgedRow
from nova_judge.report.report_rows import judged_pairs
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.run import Run
from nova_judge.steps import judged_parts
from nova_judge.steps.judged_parts import JoinedParts, keep_pairs, place_rows, read_parts
from tests.made import generated
from tests.made.runs import in_parts, write_run
from tests.unit.conftest import BUCKET
from tests.unit.kinds.test_jobs import run
from tests.unit.kinds.test_known_kinds import shipped

ROWS, EACH = 260, 100
CUT_SHORT = "the job's counts differ"


class Judged(NamedTuple):
    """A job's rows, as if its files had been read."""

    held: list[JudgedRow]
    results: tuple[Path, ...] = ()

    def rows(self, notes: Any) -> list[JudgedRow]:
        notes[CUT_SHORT] += 1
        return self.held


@pytest.fixture(scope="module")
def rows() -> list[JudgedRow]:
    return generated.judged_rows(ROWS)


@pytest.fixture
def asked() -> Run:
    return run(shipped("rubric"))


@pytest.fixture
def parts(account: Any, asked: Run, rows: list[JudgedRow]) -> list[JobOutcome]:
    kept = []
    for number, start in enumerate(range(0, ROWS, EACH)):
        ended = JobOutcome(
            run_id=asked.run_id,
            number=number,
            name=f"job-{number}",
            status="Completed",
            output_uri="",
            instance_type="",
            instance_count=0,
        )
        judged: Any = Judged(rows[start : start + EACH])
        keep_pairs(BUCKET, asked, ended, judged)
        kept.append(ended)
    return kept


def joined(asked: Run, parts: list[JobOutcome], folder: Path) -> JoinedParts:
    return read_parts(BUCKET, asked, parts, folder)


def test_joined_parts_give_the_metrics_of_all_rows(asked, parts, rows, tmp_path) -> None:
    found = joined(asked, parts, tmp_path)
    facts = generated.facts(ROWS)
    assert metrics_of(facts, found.found, None) == compute_metrics(facts, rows, None)
    assert found.notes == (f"3 rows: {CUT_SHORT}",)
    assert found.found.lines.tolist() == [one.row.line for one in rows]


def test_joined_samples_show_the_rows_that_one_pass_shows(asked, parts, rows, tmp_path) -> None:
    metrics = compute_metrics(generated.facts(ROWS), rows, None)
    once = judged_pairs(rows, asked.run_id)
    assert joined(asked, parts, tmp_path).shown.shown(metrics) == once.shown(metrics)


def test_the_first_judgment_of_a_line_is_found(asked, parts, rows, tmp_path) -> None:
    found = joined(asked, parts, tmp_path).found
    assert list(found.judged({rows[5].row.line, rows[205].row.line, 10**9})) == [
        rows[5].row.line,
        rows[205].row.line,
    ]


def test_columns_that_say_nothing_take_no_memory(asked, parts, tmp_path) -> None:
    evidence = joined(asked, parts, tmp_path).found.evidence
    assert evidence.preferences.strides == (0,)
    assert (evidence.lengths.dtype, evidence.markup.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize("most_rows", [ROWS, ROWS - 1])
def test_rows_stand_in_one_file_or_in_parts(
    account: Any, asked: Run, parts: list[JobOutcome], rows: list[JudgedRow], tmp_path, most_rows
) -> None:
    place_rows(BUCKET, asked, parts, ROWS, most_rows)
    report = RunLayout(asked.run_id).report
    names = sorted(key.removeprefix(report) for key in account.keys(report))
    in_parts = [f"{JUDGMENTS}/part-{number:05d}.parquet" for number in range(3)]
    assert names == ([JUDGMENTS] if most_rows == ROWS else in_parts)
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(account.read(report + name))
    assert list(read_judgments(tmp_path / JUDGMENTS)) == rows


def test_the_rows_of_one_job_are_its_part(account, asked, parts) -> None:
    place_rows(BUCKET, asked, parts[:1], EACH)
    layout = RunLayout(asked.run_id)
    part = account.read(f"{layout.judge_part(0, 'job-0')}{JUDGMENTS}")
    assert account.read(layout.report_file(JUDGMENTS)) == part


def test_a_part_that_is_kept_is_not_read_again(
    account: Any, asked: Run, parts: list[JobOutcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_parts, "finished_job", lambda *_: pytest.fail("read again"))
    judged_parts.keep_part(BUCKET, asked, parts[0])
    other = msgspec.structs.replace(parts[0], name="job-0-redriven")
    with pytest.raises(pytest.fail.Exception):
        judged_parts.keep_part(BUCKET, asked, other)


@pytest.fixture(scope="module")
def folders(rows: list[JudgedRow], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same run twice: with its rows in one file, and in parts."""
    whole, parted = (tmp_path_factory.mktemp(name) for name in ("whole", "parted"))
    write_run(whole / "one", rows)
    in_parts(write_run(parted / "one", rows), EACH)
    return whole, parted


@pytest.mark.parametrize(
    "command",
    [
        ["gate", "one"],
        ["rows", "one", "--json"],
        ["stats", "one", "--json"],
        ["audit", "one"],
        ["reweight", "one", "--json"],
        ["report", "one", "--json"],
        ["export", "one", "--format", "dpo", "--out", "pairs.jsonl"],
        ["leaderboard", "one", "--json"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_reads_parts_as_one_file(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    said = []
    for folder in folders:
        monkeypatch.chdir(folder)
        said.append(CliRunner().invoke(app, command))
    assert said[0].exit_code == said[1].exit_code
    assert said[0].output == said[1].output
    assert said[0].exit_code in (0, 1), said[0].output


def test_of_very_many_rows_a_sample_alone_has_lengths(asked, parts, tmp_path) -> None:
    whole = joined(asked, parts, tmp_path).found
    folders = [tmp_path / str(part.number) for part in parts]
    sampled = join_parts(folders, most_styled=90)
    assert np.isnan(sampled.evidence.lengths).all()
    assert sampled.styled is not None
    assert 50 < sampled.styled.rows < 140
    drawn = whole.evidence.where(whole.evidence.drawn(90))
    assert sampled.styled.lengths.tolist() == drawn.lengths.tolist()
    assert sampled.styled.markup.tolist() == drawn.markup.tolist()
    assert sampled.styled.forward.tolist() == drawn.forward.tolist()
