"""`nova-judge validate`: a person learns before a run what a run would say."""

import json

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import InputFileError
from nova_judge.recipe.files import packaged_recipe

GOOD = {"prompt": "Which planet?", "response_A": "Mars", "response_B": "Venus"}


@pytest.fixture
def validate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(content: bytes, *options: str):
        (tmp_path / "x.jsonl").write_bytes(content)
        return CliRunner().invoke(app, ["validate", "x.jsonl", *options])

    return run


def lines(*rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_a_good_file_is_good(validate):
    result = validate(lines(GOOD, GOOD))
    assert result.exit_code == 0
    assert "2 usable rows (ready pairs), 0 rejected lines" in result.stdout


def test_prompts_that_repeat_are_counted(validate):
    other = GOOD | {"prompt": "Which star?"}
    result = validate(lines(GOOD, GOOD, other))
    assert result.exit_code == 0
    assert "1 of 2 prompts have several rows, which count as one prompt" in result.stdout
    apart = [GOOD | {"cluster": name} for name in ("a", "b")]
    assert "several rows" not in validate(lines(*apart)).stdout


def test_pairs_of_one_text_are_counted(validate):
    """A file joined with itself compares every answer with the same."""
    same = GOOD | {"response_B": "Mars"}
    assert "2 rows have the same text as both answers" in validate(lines(same, same, GOOD)).stdout
    assert "same text" not in validate(lines(GOOD)).stdout


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [("contexts", ["p", "q"], "context"), ("system_prompt", "Be brief.", "system")],
)
def test_what_belongs_to_the_question_is_not_left_lying(validate, column, value, field):
    row = GOOD | {column: value}
    refused = str(validate(lines(row)).exception)
    assert f"`{column}` may belong to the question and is not read" in refused
    assert f"--map {field}={column}" in refused
    assert validate(lines(row), "--map", f"{field}={column}").exit_code == 0
    assert validate(lines(row), "--map", f"ignore={column}").exit_code == 0
    assert validate(lines(row | {field: "x"})).exit_code == 0


def test_a_recipe_may_read_other_lines(validate):
    own = lines({"query": "2 + 2?", "response": "4"}, {"query": "2 + 3?"})
    result = validate(own, "--recipe", "own-data")
    assert result.exit_code == 1
    assert "1 usable row (questions for the model under test), 1 rejected line" in result.stdout
    assert isinstance(validate(own).exception, InputFileError)
    needs_none = validate(own, "--recipe", "benchmark-mmlu")
    assert "recipe benchmark-mmlu reads no file" in str(needs_none.exception)


def test_prompts_are_told_from_pairs(validate):
    assert "prompts that the candidates will answer" in validate(lines({"prompt": "x"})).stdout


def test_rejected_lines_are_listed_with_number_field_and_reason(validate):
    result = validate(lines(GOOD, {**GOOD, "response_B": " "}) + b"broken\n" + lines(GOOD))
    assert result.exit_code == 1
    assert "2 usable rows (ready pairs), 2 rejected lines" in result.stdout
    rows = [line.split("│") for line in result.stdout.splitlines() if "│" in line]
    cells = [[cell.strip() for cell in row[1:4]] for row in rows]
    assert ["2", "response_B", "the answer is empty"] in cells
    assert ["3", "", "not JSON: JSON is malformed: invalid character (byte 0)"] in cells


def test_the_first_twenty_stand_on_the_screen_and_all_in_the_file(validate, tmp_path):
    result = validate(lines(GOOD) + b"{}\n" * 30, "--out", "rejected.jsonl")
    assert "… 30 of field `prompt` is missing" in result.stdout
    written = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert [line["line"] for line in written] == list(range(2, 32))
    assert written[0] == {"line": 2, "reason": "field `prompt` is missing", "field": "prompt"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"[]", "no line can be used"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"{}\n", "no line can be used"),
    ],
)
def test_a_file_without_a_usable_line_is_an_error(validate, content, words):
    result = validate(content)
    assert isinstance(result.exception, InputFileError)
    assert words in str(result.exception)


def test_a_file_that_is_not_there_is_named():
    result = CliRunner().invoke(app, ["validate", "nowhere.jsonl"])
    assert isinstance(result.exception, InputFileError)
    assert "nowhere.jsonl is not a file" in str(result.exception)


def test_behind_a_huge_first_line_the_pairs_are_still_pairs(validate):
    result = validate(b"x" * 2_000_000 + b"\n" + lines(GOOD))
    assert result.exit_code == 1
    assert "1 usable row (ready pairs), 1 rejected line" in result.stdout


def test_several_maps_are_one_map(validate):
    rows = lines({"question": "Which planet?", "gold": "Venus"})
    result = validate(rows, "--map", "prompt=question", "--map", "reference=gold")
    assert result.exit_code == 0
    assert "`reference` is read on 1 row" in result.stdout


def test_a_map_to_a_column_that_no_row_has_is_refused(validate):
    with pytest.raises(InputFileError, match="no row has `nope`, which --map names for response_A"):
        raise validate(lines(GOOD), "--map", "response_A=nope").exception


def test_a_recipe_that_compares_a_model_with_itself_is_said_to_test_the_judge(validate, tmp_path):
    text = packaged_recipe("pairwise").replace("qwen2.5-7b-instruct", "qwen2.5-1.5b-instruct")
    (tmp_path / "same.yaml").write_text(text)

    result = validate(lines({"prompt": "x"}), "--recipe", "same.yaml")
    assert "A and B are the same model" in result.stdout
    ready = validate(lines(GOOD), "--recipe", "same.yaml", "--json")
    assert json.loads(ready.stdout)["warnings"] == []


@pytest.mark.parametrize(
    ("row", "candidates", "words"),
    [
        (
            {"prompt": "x"},
            "B: {endpoint: qwen2.5-7b-instruct}",
            "recipe mine names no model for A, so that it reads the answers of A from "
            "`response_A`: bring them there, or name a model at candidates.A",
        ),
        (
            {"prompt": "x"},
            "A: {file: response_A}\n  B: {endpoint: qwen2.5-7b-instruct}",
            "recipe mine reads the answers of A from `response_A`: bring them there",
        ),
        (
            {"prompt": "x", "response_A": "y"},
            "A: {endpoint: qwen2.5-1.5b-instruct}\n  B: {endpoint: qwen2.5-7b-instruct}",
            "judged beside a model's, write `A: {file: response_A}` into candidates of a recipe; "
            "to have both asked, leave them aside with --map ignore=response_A",
        ),
    ],
)
@pytest.mark.parametrize("command", ["validate", "estimate"])
def test_answers_of_one_side_alone_are_met_with_the_next_step(
    validate, tmp_path, command, row, candidates, words
):
    head, _, tail = packaged_recipe("pairwise").partition("candidates:")
    text = f"{head}candidates:\n  {candidates}\njudge:{tail.partition('judge:')[2]}"
    (tmp_path / "mine.yaml").write_text(text)
    validate(lines(row))

    refused = CliRunner().invoke(app, [command, "x.jsonl", "--recipe", "mine.yaml"]).exception
    assert isinstance(refused, InputFileError)
    assert words in str(refused)
