"""`nova-judge stats`, `plan` and `leaderboard` on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import InputFileError, RequestError, SavedReportError
from nova_judge.findings.metrics import compute_metrics, failed_metrics
from nova_judge.findings.metrics_record import CandidateFacts, InputFacts, encode_metrics
from tests.made import runs
from tests.made.generated import rows_of
from tests.made.profiles import HAIKU, jsonl
from tests.unit.findings.test_metrics import facts, pairs

runner = CliRunner()


def run(*arguments: object) -> str:
    result = runner.invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_stats_prints_every_key_that_is_promised() -> None:
    labels = HAIKU / "pairs.jsonl"
    found = json.loads(run("stats", HAIKU / "judgments.jsonl", "--labels", labels, "--json"))
    assert found["n"] == 270
    assert found["win_rate"].keys() == {"estimate", "low", "high", "level", "method"}
    assert found["standard_error"] == pytest.approx(0.0195, abs=1e-4)
    assert {"word", "p_value", "pairs_needed"} <= found["verdict"].keys()
    assert found["positions"]["flips"] == pytest.approx(0.163, abs=1e-3)
    assert found["positions"]["first_rate"] == pytest.approx(207 / 328)
    assert found["agreement"]["summed"] == pytest.approx(0.3222, abs=1e-4)
    assert found["agreement"]["kappa"] == pytest.approx(0.0232, abs=1e-4)
    assert {"estimate", "low", "high"} <= found["length_controlled"].keys()
    assert found["calibration"] is None
    assert any(note.startswith("calibration: ") for note in found["notes"])


def test_stats_for_people_sets_bad_lines_aside(tmp_path: Path) -> None:
    rows = [{"id": str(n), "forward": "B>A", "backward": "A>B"} for n in range(30)]
    shown = run("stats", jsonl(tmp_path / "[odd].jsonl", [*rows, "no json"]))
    assert "B is better" in shown
    assert "line 31" in shown
    assert "Wilson" in shown


def verdicts(rows: int, named: str, **more: object) -> list[object]:
    """Rows on which both orders name this candidate."""
    return [{"forward": named, "backward": named, **more} for _ in range(rows)]


def test_errors_on_other_pairs_correct_the_win_rate(tmp_path: Path) -> None:
    """(.6 + .9 - 1) / (.8 + .9 - 1) = .714."""
    elsewhere = verdicts(90, "A", label="A") + verdicts(10, "B", label="A")
    elsewhere += verdicts(80, "B", label="B") + verdicts(20, "A", label="B")
    given = jsonl(tmp_path / "elsewhere.jsonl", elsewhere)
    file = jsonl(tmp_path / "j.jsonl", verdicts(40, "A") + verdicts(60, "B"))
    found = json.loads(run("stats", file, "--judge-rates", given, "--json"))
    assert found["win_rate_by_rates"]["estimate"] == pytest.approx(5 / 7)
    shown = run("stats", file, "--judge-rates", given)
    assert "win rate of B, by outside labels" in shown
    assert "71.4 %" in shown
    rates = json.loads(run("stats", given, "--json"))["agreement"]["rates"]
    assert rates == {"right_of_A": 90, "labelled_A": 100, "right_of_B": 80, "labelled_B": 100}


def test_other_pairs_without_labels_of_both_sides_are_refused(tmp_path: Path) -> None:
    given = jsonl(tmp_path / "elsewhere.jsonl", verdicts(9, "A", label="A"))
    with pytest.raises(InputFileError, match="errors cannot be counted"):
        run("stats", given, "--judge-rates", given)


def test_stats_of_nothing_is_an_error() -> None:
    with pytest.raises(InputFileError):
        run("stats", "nowhere.jsonl")


def test_plan_says_how_many_pairs() -> None:
    assert json.loads(run("plan", "--difference", 0.03, "--json"))["decided_pairs"] == 2189
    assert "2,189 pairs" in run("plan", "--difference", 0.03)
    found = json.loads(run("plan", "--pairs", 500, "--decided-share", 0.6, "--json"))
    assert found["decided_pairs"] == 300
    assert found["difference"] == pytest.approx(0.082, abs=0.001)
    assert "no difference at all" in run("plan", "--pairs", 4)
    with pytest.raises(RequestError, match="--difference"):
        run("plan")


def test_plan_takes_several_rows_per_prompt() -> None:
    options = ("--samples", 5, "--correlation", 0.5, "--json")
    found = json.loads(run("plan", "--difference", 0.1, *options))
    assert (found["prompts"], found["pairs"]) == (120, 600)


def test_plan_learns_the_share_of_decided_rows_from_a_run(tmp_path: Path) -> None:
    write_run(tmp_path, "a", "b", "BBBBBBAAAAtttttttttt")
    found = json.loads(run("plan", "--difference", 0.1, "--like", tmp_path, "--json"))
    assert (found["decided_share"], found["pairs"]) == (0.5, 398)


def write_run(folder: Path, a: str, b: str, verdicts: str) -> Path:
    words = {"A": "A", "B": "B", "t": "tie"}
    rows = pairs([words[v] for v in verdicts])
    run_facts = facts(
        run_id=f"r-{folder.name}",
        input=InputFacts(uri="s3://d/x", version="v", size=1),
        rows=rows_of(len(rows)),
        candidates={"A": CandidateFacts(a, "file"), "B": CandidateFacts(b, "file")},
    )
    folder.mkdir(exist_ok=True)
    path = folder / "metrics.json"
    path.write_bytes(encode_metrics(compute_metrics(run_facts, rows, None)))
    return path


def test_a_leaderboard_of_several_runs(tmp_path: Path) -> None:
    several = [
        write_run(tmp_path / "1", "small", "large", "B" * 60 + "A" * 10),
        write_run(tmp_path / "2", "large", "other [x]", "B" * 20 + "A" * 22),
    ]
    found = json.loads(run("leaderboard", *several, "--json"))
    assert [s["rank"] for s in found["standings"]][-1] == 3
    assert found["standings"][0]["rank"] is None
    shown = run("leaderboard", *several)
    assert "1-2" in shown
    assert "other [x]" in shown
    again = json.loads(run("leaderboard", *several, several[0], several[0], "--json"))
    assert again["standings"] == found["standings"]
    assert "2 runs were given more than once; each counts once" in again["notes"]


@pytest.mark.parametrize(("rows", "different"), [(40, False), (41, True)])
def test_one_input_under_two_names_is_one_input(tmp_path: Path, rows: int, different: bool) -> None:
    first = runs.write_run(tmp_path / "1", runs.generated_rows(40))
    other = runs.write_run(tmp_path / "2", runs.generated_rows(rows), "other")
    metrics = other / "report" / "metrics.json"
    changed = json.loads(metrics.read_bytes())
    changed["input"] |= {"uri": "s3://b/rubric/i.jsonl", "version": "2", "size": rows - 39}
    metrics.write_text(json.dumps(changed))
    notes = json.loads(run("leaderboard", first, other, "--json"))["notes"]
    assert any("different inputs" in note for note in notes) is different


def test_a_failed_run_has_no_place_on_the_board(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(encode_metrics(failed_metrics(facts(), "RunJudgeJobs", "stopped")))
    with pytest.raises(SavedReportError, match="compared no answers"):
        run("leaderboard", path)


def test_a_run_with_a_blocked_verdict_has_no_place_on_the_board(tmp_path: Path) -> None:
    path = write_run(tmp_path / "1", "small", "large", "B" * 60 + "A" * 10)
    stated = json.loads(path.read_bytes())
    stated["statistics"]["blocked_by"] = ["the judge prefers a padded answer"]
    path.write_text(json.dumps(stated))
    with pytest.raises(SavedReportError, match="is blocked \\(the judge prefers a padded answer"):
        run("leaderboard", path)


def test_help_has_examples() -> None:
    for command in ("stats", "plan", "leaderboard"):
        assert "Examples" in run(command, "--help")


def test_stats_of_a_run_or_of_its_report_folder_reads_its_judgments(tmp_path: Path) -> None:
    folder = runs.write_run(tmp_path / "mine", runs.generated_rows(20))
    of_file = json.loads(run("stats", folder / "report/judgments.parquet", "--json"))
    assert of_file["rows"]["read"] == 20
    for place in (folder, folder / "report"):
        assert json.loads(run("stats", place, "--json")) == of_file
