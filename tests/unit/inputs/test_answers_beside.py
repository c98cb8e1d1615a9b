"""Answers in a file of their own reach their rows by id or by prompt, and nothing is guessed."""

import json

import pytest

from nova_judge.errors import InputFileError
from nova_judge.inputs.input_file import opened
from nova_judge.recipe.column_map import ColumnMap

ROWS = [{"id": f"q{n}", "prompt": f"Question {n}?", "response_A": "a"} for n in (1, 2, 3)]


def write(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def read(folder, answers, rows=ROWS):
    file = write(folder / "q.jsonl", rows)
    other = write(folder / "answers_b.jsonl", answers)
    with opened(file, answers={"B": other}) as lines:
        found = [json.loads(line) for line in lines.path.read_text("utf-8").splitlines()]
        return [row.get("response_B") for row in found], lines.notes


def test_answers_are_found_by_id(tmp_path):
    answers = [{"id": "q3", "response": "c"}, {"id": "q1", "response_B": "a"}, {"id": "q9"}]
    found, notes = read(tmp_path, answers)
    assert found == ["a", None, "c"]
    assert notes == (
        "answers_b.jsonl by `id`: 2 rows have their response_B there, 1 have none, "
        "0 answers belong to no row",
    )


def test_ids_of_another_order_are_refused(tmp_path):
    """Ids that count rows gave every question the answer of another one."""
    answers = [{"id": f"q{n}", "prompt": f"Question {4 - n}?", "response": "x"} for n in (1, 3)]
    with pytest.raises(InputFileError, match=r"that of \"Question 1\?\" is there the id of"):
        read(tmp_path, answers)
    templated = [{"id": "q1", "prompt": "User: Question 1?", "response": "x"}]
    found, notes = read(tmp_path, templated)
    assert found == ["x", None, None]
    assert notes[0].endswith("; 1 matched row has another question there")


def test_an_answer_may_be_a_number_or_an_assistants_turn(tmp_path):
    turn = [{"role": "assistant", "content": "c"}]
    answers = [{"id": f"q{n}", "response": it} for n, it in enumerate((42, 0.5, turn), 1)]
    assert read(tmp_path, answers)[0] == ["42", "0.5", "c"]


def test_decimal_numbers_are_kept_as_they_are_written(tmp_path):
    rows = [{**row, "id": n + 1.0, "share": 0.5} for n, row in enumerate(ROWS)]
    found, _ = read(tmp_path, [{"id": 2, "response": "b"}], rows)
    assert found == [None, "b", None]
    file = write(
        tmp_path / "q.jsonl", [{"question": "q?", "share": 0.5, "all": [1.25, {"x": 1e-3}]}]
    )
    with opened(file, ColumnMap(prompt="question"), asked_for=["prompt"]) as lines:
        (row,) = map(json.loads, lines.path.read_text("utf-8").splitlines())
    assert row == {"prompt": "q?", "share": 0.5, "all": [1.25, {"x": 0.001}]}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1)])
def test_a_joined_file_is_matched_by_the_questions_where_ids_are_left_out(tmp_path, order):
    file = write(tmp_path / "q.jsonl", ROWS)
    others = [
        {"id": f"q{n}", "prompt": f"Question {m}?", "x": str(m)} for n, m in enumerate(order, 1)
    ]
    other = write(tmp_path / "other.jsonl", others)
    columns = ColumnMap(response_B="join.x", ignore="id")
    with opened(file, columns, other, ["response_B"]) as lines:
        found = map(json.loads, lines.path.read_text("utf-8").splitlines())
        assert [row["response_B"] for row in found] == ["1", "2", "3"]
    if order != (1, 2, 3):
        with (
            pytest.raises(InputFileError, match="--map ignore=id"),
            opened(file, ColumnMap(response_B="join.x"), other, ["response_B"]),
        ):
            pass


def test_answers_without_ids_are_found_by_prompt(tmp_path):
    answers = [{"prompt": f"Question {n}?", "response": str(n)} for n in (2, 1, 4)]
    found, notes = read(tmp_path, answers)
    assert found == ["1", "2", None]
    assert notes[0].endswith(
        "by `prompt`: 2 rows have their response_B there, 1 have none, 1 answer belongs to no row"
    )


def test_an_id_with_two_answers_gets_neither_and_is_named(tmp_path):
    answers = [
        {"id": "q1", "response": "x"},
        {"id": "q1", "response": "y"},
        {"id": "q2", "response": "same"},
        {"id": "q2", "response": "same"},
    ]
    found, notes = read(tmp_path, answers)
    assert found == [None, "same", None]
    assert notes[0].endswith("; 1 with several answers are left out: q1")


def test_lines_that_cannot_be_read_are_counted_with_the_place_of_the_first(tmp_path):
    file = write(tmp_path / "q.jsonl", ROWS)
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": "q1", "response": "x"}\n{"id": "q2"\n[1]\n', "utf-8")
    said = "; 2 of its lines cannot be read, the first at line 2: "
    with opened(file, answers={"B": other}) as lines:
        assert said in lines.notes[0]
    with opened(file, join=other) as lines:
        assert said in lines.notes[0]


@pytest.mark.parametrize(
    ("answers", "rows", "words"),
    [
        ([{"response": "x"}], ROWS, "both files need `id` or `prompt`"),
        ([{"id": "q1", "text": "x"}], ROWS, "`response_B`; its columns are id, text: rename"),
        ([{"id": "r1", "response": "x"}], ROWS, "is such as 'r1', that of the input such as 'q1'"),
        ([{"id": "q1", "response": "x"}], [{**ROWS[0], "response_B": "b"}], "line 1: the input"),
    ],
)
def test_what_cannot_be_matched_is_refused(tmp_path, answers, rows, words):
    with pytest.raises(InputFileError, match=words):
        read(tmp_path, answers, rows)


def test_a_file_that_is_not_there_is_named(tmp_path):
    file = write(tmp_path / "q.jsonl", ROWS)
    with (
        pytest.raises(InputFileError, match="lie beside the input file"),
        opened(file, answers={"B": tmp_path / "none.jsonl"}),
    ):
        pass
