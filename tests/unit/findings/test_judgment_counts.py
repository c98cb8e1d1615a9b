"""Large files are counted: the same figures as line by line, or left to the reader of lines."""

import json
import random
from pathlib import Path

import pytest

from nova_judge.findings import judgment_counts
from nova_judge.findings.judgment_counts import counted_lines
from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.statistics.findings import find
from nova_judge.statistics.statistics_settings import DEFAULTS

ROW = {"id": "a", "forward": "A>B", "backward": "B>A"}


@pytest.fixture(autouse=True)
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgment_counts, "LEAST_BYTES", 0)


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def test_counting_gives_the_figures_of_reading_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(3)  # noqa: S311  test data
    rows = [
        {
            "id": f"r{n}",
            "forward": draw.choice(["A>B", "B>A", "A=B"]),
            "backward": draw.choice(["A>B", "B>A", None]),
            "category": draw.choice(["law", "code", "007"]),
        }
        for n in range(500)
    ]
    file = write(tmp_path / "big.jsonl", rows)
    assert len(counted_lines(file) or ()) <= 27
    counted = read_judgment_file(file)
    monkeypatch.setattr(judgment_counts, "LEAST_BYTES", 1 << 40)
    assert counted_lines(file) is None
    read = read_judgment_file(file)
    by_name = {part.category: part for part in find(read.evidence, DEFAULTS, read.basis).slices}
    ours, theirs = (find(one.evidence, DEFAULTS, one.basis) for one in (counted, read))
    assert {part.category: part for part in ours.slices} == by_name
    assert ours.verdict == theirs.verdict
    assert (ours.win_rate, ours.positions, ours.notes) == (
        theirs.win_rate,
        theirs.positions,
        theirs.notes,
    )
    assert (counted.rows, counted.basis, counted.notes) == (read.rows, read.basis, read.notes)


@pytest.mark.parametrize(
    "odd",
    [
        [ROW],
        [{**ROW, "id": "b", "margin": 0.5}],
        [{"id": "b", "category": "law"}],
        [{"id": "b", "forward": None, "backward": None}],
        ["no object"],
        [[1, 2]],
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_reader_of_lines(
    tmp_path: Path, odd: list[object]
) -> None:
    assert counted_lines(write(tmp_path / "plain.jsonl", [ROW])) is not None
    assert counted_lines(write(tmp_path / "odd.jsonl", [ROW, *odd])) is None


def test_a_word_that_is_no_verdict_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [{**ROW, "id": f"r{n}"} for n in range(300)] + [{**ROW, "id": "x", "forward": "hm"}]
    reading = read_judgment_file(write(tmp_path / "odd.jsonl", rows))
    assert reading.evidence.profiles.one_order == 1


@pytest.mark.parametrize("value", [1, 0, 2, True, 0.5])
def test_a_verdict_that_is_no_text_is_told_however_it_is_read(
    tmp_path: Path, value: object
) -> None:
    rows = [{**ROW, "id": f"r{n}"} for n in range(300)] + [{**ROW, "id": "x", "forward": value}]
    reading = read_judgment_file(write(tmp_path / "odd.jsonl", rows))
    assert reading.evidence.profiles.one_order == 1
    assert reading.notes == ["`forward` cannot be read on 1 line, which counts without it"]
