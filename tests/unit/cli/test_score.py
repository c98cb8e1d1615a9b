"""`nova-judge score`: every row counts, under the metrics of the scorer."""

import json
from pathlib import Path

from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import ScorerError

SCORER = """
def score(answer):
    if answer == "die": raise SystemExit
    return {"length": len(answer), "short": len(answer) < 2}
"""


def scored(folder: Path, *answers: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
    file, scorer = folder / "answers.jsonl", folder / "mine.py"
    file.write_text("".join(json.dumps({"answer": answer}) + "\n" for answer in answers))
    scorer.write_text(SCORER)
    result = CliRunner().invoke(app, ["score", str(file), "--scorer", str(scorer), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_row_that_ends_the_scorer_is_unscored_by_each_of_its_metrics(tmp_path: Path) -> None:
    code, told = scored(tmp_path, "die", "ab", "a")
    assert code == 1
    assert [(e["metric"], e["rows"], e["unscored"], e["estimate"]) for e in told["scores"]] == [
        ("length", 2, 1, 1.5),
        ("short", 2, 1, 0.5),
    ]


def test_without_any_score_there_is_one_metric(tmp_path: Path) -> None:
    code, told = scored(tmp_path, "die")
    assert code == 1
    assert [(e["metric"], e["rows"], e["unscored"]) for e in told["scores"]] == [("score", 0, 1)]


def test_a_table_of_answers_is_scored_as_json_lines_are(tmp_path: Path) -> None:
    file, scorer = tmp_path / "answers.csv", tmp_path / "mine.py"
    file.write_text("prompt,answer\nQ1,ab\nQ2,a\n")
    scorer.write_text(SCORER)
    result = CliRunner().invoke(app, ["score", str(file), "--scorer", str(scorer), "--json"])
    scores = json.loads(result.stdout)["scores"]
    assert [(e["metric"], e["rows"], e["estimate"]) for e in scores] == [
        ("length", 2, 1.5),
        ("short", 2, 0.5),
    ]


def test_a_reason_is_printed_once_with_its_answers_and_metrics(tmp_path: Path) -> None:
    file, scorer = tmp_path / "answers.jsonl", tmp_path / "mine.py"
    file.write_text("".join(json.dumps({"answer": one}) + "\n" for one in ("die", "die", "ab")))
    scorer.write_text(SCORER)
    printed = CliRunner().invoke(app, ["score", str(file), "--scorer", str(scorer)]).stdout
    counted = [line.partition(":")[0] for line in printed.splitlines() if " without " in line]
    assert counted == ["2 answers without length, short"]


def test_a_misspelt_scorer_is_answered_with_the_nearest(tmp_path: Path) -> None:
    file, scorer = tmp_path / "answers.jsonl", tmp_path / "mine.py"
    file.write_text('{"answer": "a"}\n')
    scorer.write_text(SCORER)
    for given, near in (("prime_maths", "prime_math"), (tmp_path / "mien.py", scorer)):
        refused = CliRunner().invoke(app, ["score", str(file), "--scorer", str(given)]).exception
        assert isinstance(refused, ScorerError)
        assert str(refused).endswith(f"Did you mean '{near}'?")
