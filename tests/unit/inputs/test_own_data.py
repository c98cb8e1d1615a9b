"""Own data: what the container gets of a line, and which lines it must not get."""

import json

import pytest

from nova_judge.inputs.own_data import (
    OwnDataForm,
    OwnLine,
    gen_qa_line,
    read_own_data,
    rft_eval_line,
)
from nova_judge.records import Rejected


def read(*lines: object, form: OwnDataForm = gen_qa_line) -> list[OwnLine | Rejected]:
    content = b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )
    return list(read_own_data([content], len(content), form))


def test_only_documented_fields_are_sent() -> None:
    line = {"query": "q", "response": "r", "system": "s", "metadata": {"a": 1}, "id": 7}
    (found,) = read(line | {"category": "c", "cluster": 3.0, "mine": True})
    wanted = {k: v for k, v in line.items() if k != "id"} | {"metadata": '{"a":1}'}
    assert json.loads(found.sent) == wanted
    assert found.row == (1, "7", "q", "r", "c", "3")


@pytest.mark.parametrize("form", [gen_qa_line, rft_eval_line])
def test_numbers_in_metadata_are_sent_as_they_are_written(form: OwnDataForm) -> None:
    """Seen: a decimal number ended the run, or reached the reward function as a text."""
    metadata = b'{"t":0.50,"all":[1.25,{"x":1e-3}],"n":123456789012345678901234567890}'
    (found,) = read(b'{"query":"q","response":"r","metadata":' + metadata + b"}", form=form)
    assert isinstance(found, OwnLine)
    sent = json.loads(found.sent)["metadata"]
    assert metadata in found.sent or sent == metadata.decode()


def test_rewards_are_asked_with_messages_and_a_reference() -> None:
    (found,) = read({"query": "q", "response": "r", "system": "s"}, form=rft_eval_line)
    assert json.loads(found.sent) == {
        "id": "line-1",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}],
        "reference_answer": {"text": "r"},
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not JSON", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"query": "Orl\xe9ans", "response": ""}', "not UTF-8"),
        ({"query": "q"}, "field `response` is missing; a line is"),
        ({"query": True, "response": "r"}, "field `query`: a text is expected, found true"),
        ({"query": "q", "response": ["r", "s"]}, "field `response`: a list of 2"),
        ({"query": " ", "response": "r"}, "field `query` is empty"),
        (b"x" * 1_100_000, "the line is too long"),
    ],
)
def test_a_broken_line_is_left_out_with_its_number(line: object, reason: str) -> None:
    good = {"query": "q", "response": "r"}
    first, broken, last = read(good, line, good)
    assert isinstance(broken, Rejected)
    assert broken.line == 2
    assert broken.reason.startswith(reason)
    assert (first.row.row, last.row.row) == (1, 3)


def test_blank_lines_are_no_rows() -> None:
    assert read(b"", b"  ", {"query": "q", "response": ""})[0].row.row == 3


def test_one_question_about_two_images_is_two() -> None:
    rows = [
        {"query": "What is shown?", "response": "a", "images": [{"data": data}]}
        for data in ("one", "two", "one")
    ]
    first, second, third = (found.row.cluster for found in read(*rows))
    assert first == third != second
    (named,) = read({"query": "q", "response": "r", "images": [{"data": "x"}], "cluster": "c"})
    assert named.row.cluster == "c"
    (plain,) = read({"query": "q", "response": "r"})
    assert plain.row.cluster is None
