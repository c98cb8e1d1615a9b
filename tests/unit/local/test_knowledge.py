import json

from nova_judge_local.judges.knowledge import Knowledge


def _file(folder, *rows):
    file = folder / "rows.jsonl"
    file.write_bytes(
        b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows)
    )
    return file


def test_equal_rows_are_handed_out_in_the_order_of_the_file(tmp_path):
    pair = {"prompt": "p", "response_A": "a", "response_B": "b"}
    known = Knowledge([_file(tmp_path, {**pair, "id": 1}, {**pair, "id": "two"})])

    assert [known.of("p", "a", "b").id for _ in range(3)] == ["1", "two", "two"]


def test_generated_answers_are_found_by_their_prompt(tmp_path):
    known = Knowledge([_file(tmp_path, {"prompt": "p", "reference": "r"})])

    assert known.of("p", "anything", "else").reference == "r"
    assert known.of("another", "a", "b") is None


def test_one_answer_from_the_file_and_one_generated(tmp_path):
    known = Knowledge([_file(tmp_path, {"prompt": "p", "response_A": "a", "id": "x"})])

    assert known.of("p", "a", "generated").id == "x"


def test_lines_that_cannot_be_read_are_passed_over(tmp_path):
    rows = (
        b"\xef\xbb\xbf" + b'{"prompt": "p", "reference": "first"}',
        b"no json",
        b'{"prompt": 1}',
        b"",
        b'{"prompt": "q", "reference": "last"}',
    )
    _file(tmp_path, *rows)

    known = Knowledge(sorted(tmp_path.glob("*.jsonl")))

    assert known.of("p", "", "").reference == "first"
    assert known.of("q", "", "").reference == "last"
