import os
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from nova_judge.pairs import rubric_columns
from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.judge_output import read_judgments
from nova_judge.pairs.rubric_columns import columns_of, columns_of_report, read_columns
from tests.made import details, runs

GROUPS = default_groups()
DIGITS = "0x" + "f" * 5_000  # a number that Python does not turn into a decimal text
FORMS = 30


def same(one, other):
    assert one.groups == other.groups
    assert one.members == other.members
    for name in ("start", "entries", "forward", "backward"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def altered(number, row):
    """The row with one thing wrong, another one for each number that stands here."""
    breakdown = row["criteria_breakdown"]
    first = next(iter(breakdown.values()))
    weightless, tiny = (
        {name: {**fields, "weight": weight} for name, fields in breakdown.items()}
        for weight in (0, 1e-7)
    )
    binary = {**first, "type": "binary", "score_A": False, "score_B": 1}
    return {
        1: row | {"predictions": ["?"]},
        2: {key: value for key, value in row.items() if key != "predictions"},
        3: row | {"ties": 1.0},
        4: row | {"criteria_breakdown": {**breakdown, "x": {**first, "score_A": 9}}},
        5: row | {"criteria_breakdown": {**breakdown, "x": {**first, "type": "stars"}}},
        6: row | {"criteria_breakdown": {}},
        7: row | {"criteria_breakdown": weightless},
        8: str(row)[:-5],
        9: None,
        10: details.pairwise_metrics("[[A>B]]", "[[A>B]]", a_scores=1.0, b_scores=1.0),
        11: row | {"a_scores": True},
        12: row | {"criteria_breakdown": {f"c{n}": first for n in range(250)}},
        13: row | {"predictions": "A>B"},
        15: row | {"criteria_breakdown": tiny},
        16: row | {"backward_output": "[[A>B]]"},
        17: row | {"a_scores": [1]},
        18: row | {"predictions": [["A>B"]]},
        19: str(row | {"predictions": [DIGITS]}).replace(f"'{DIGITS}'", DIGITS),
        20: with_number(row, {**first, "type": DIGITS}),
        21: with_number(row, {**binary, "score_A": DIGITS}),
        22: row | {"predictions": [3]},
        23: row | {"inference_error": None, "inference_errors": 1},
        24: row | {"criteria_breakdown": {"half \ud800 pair": first}},
        25: row | {"criteria_breakdown": {**breakdown, "x": {**binary, "score_A": "Yes"}}},
        26: row | {"predictions": ("A>B",), "b_scores": float("nan")},
        27: row | {"forward_error": "the judge's output was cut off"},
        28: {key: value for key, value in row.items() if key != "predictions"}
        | {"a_scores": 0.0, "b_scores": 0.0, "inference-score": 2.0},
    }.get(number, row)


def with_number(row, fields):
    """The row with a criterion that holds a number where a text was expected."""
    return str(row | {"criteria_breakdown": {"x": fields}}).replace(f"'{DIGITS}'", DIGITS)


def mixed_rows(count):
    draw = random.Random(9)  # noqa: S311
    return [altered(number % FORMS, details.rubric_metrics(draw)) for number in range(count)]


@pytest.mark.parametrize("outputs", [False, True])
def test_columns_of_details_are_those_of_its_judgments(tmp_path, outputs):
    rows = mixed_rows(300)
    draw = random.Random(2)  # noqa: S311
    written = "criteria:\n  odd: {type: scale, weight: 1, score_A: 5, score_B: 1}\n[[A>B]]"
    labels = ("[[A>B]]", "[[B>A]]", "[[A=B]]", "none", "", written)
    raw = [[draw.choice(labels) for _ in range(draw.choice((1, 2)))] for _ in rows]
    path = details.write(tmp_path / "d.parquet", rows, raw if outputs else None)
    same(read_columns(path, GROUPS), columns_of(read_judgments(path), GROUPS))


def test_a_second_process_reads_the_last_rows(tmp_path, monkeypatch):
    path = details.write(tmp_path / "d.parquet", mixed_rows(300))
    whole = read_columns(path, GROUPS)
    asked = []
    submit = ProcessPoolExecutor.submit
    monkeypatch.setattr(
        ProcessPoolExecutor, "submit", lambda *given: asked.append(given[-1]) or submit(*given)
    )
    monkeypatch.setattr(rubric_columns, "_HEAD_START", 50)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    same(read_columns(path, GROUPS), whole)
    assert asked == [range(175, 300)]


def test_a_process_that_packs_rows_loads_no_numpy():
    script = "import sys, nova_judge.pairs.details_packing; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_columns_of_a_report_are_those_of_its_rows(tmp_path):
    rows = runs.generated_rows(120)
    run = runs.write_run(tmp_path / "run", rows)
    found = columns_of_report(run / "report/judgments.parquet", GROUPS)
    same(found.columns, columns_of((row.judgment for row in rows), GROUPS))
    assert found.categories == [row.row.category for row in rows]
