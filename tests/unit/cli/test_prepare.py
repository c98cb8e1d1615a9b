"""`nova-judge prepare squad`: the posts' question set from an official file."""

import json

from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import InputFileError

SQUAD = {
    "version": "1.1",
    "data": [
        {
            "title": "Bridges",
            "paragraphs": [
                {
                    "context": "The bridge opened in 1900.",
                    "qas": [
                        {
                            "id": "s0",
                            "question": " When did it open?",
                            "answers": [{"text": "1900", "answer_start": 21}],
                        },
                        {"id": "s1", "question": "Who?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}


def prepared(tmp_path, document, *options):
    source, out = tmp_path / "train-v1.1.json", tmp_path / "q.jsonl"
    source.write_text(json.dumps(document))
    asked = ["prepare", "squad", str(source), "--out", str(out), *options]
    return CliRunner().invoke(app, asked), out


def test_questions_with_their_first_right_answer_and_the_licence(tmp_path):
    result, out = prepared(tmp_path, SQUAD)
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"id": "s0", "prompt": "When did it open?", "reference": "1900", "category": "Bridges"}
    ]
    assert "CC BY-SA 4.0" in result.stderr


def test_passages_are_context(tmp_path):
    _, out = prepared(tmp_path, SQUAD, "--context")
    assert json.loads(out.read_text())["context"] == "The bridge opened in 1900."


def test_another_file_is_refused(tmp_path):
    result, out = prepared(tmp_path, {"rows": []})
    assert isinstance(result.exception, InputFileError)
    assert "is not an official SQuAD file" in str(result.exception)
    assert not out.exists()
