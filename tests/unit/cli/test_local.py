"""`nova-judge local run` before it starts and while it is kept."""

from types import SimpleNamespace

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from nova_judge.cli import local
from nova_judge.cli.main import app
from nova_judge.errors import LocalModeError
from nova_judge.records import Judgment, Unscored
from tests.made import runs


def stop(_seconds):
    raise KeyboardInterrupt


def test_a_kept_run_shows_its_result_before_it_waits_for_the_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(local.time, "sleep", stop)
    folder = runs.write_run(tmp_path / "run", runs.generated_rows(40))
    (folder / "report" / "report.html").touch()
    display = local._Display(Console(width=400), folder)

    display.hold(SimpleNamespace(environment=lambda: {"AWS_REGION": "us-east-1"}))

    before, after = capsys.readouterr().out.split("The emulated account is up")
    assert f"Report: {folder}/report/report.html" in before
    assert "export AWS_REGION=us-east-1" in after


def test_a_kept_run_without_a_report_waits_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(local.time, "sleep", stop)

    local._Display(Console(), tmp_path).hold(SimpleNamespace(environment=dict))

    assert "The emulated account is up" in capsys.readouterr().out


def test_a_file_without_an_ending_is_refused_before_anything_starts(tmp_path):
    (tmp_path / "questions").write_text('{"prompt": "x"}\n')

    error = CliRunner().invoke(app, ["local", "run", str(tmp_path / "questions")]).exception

    assert isinstance(error, LocalModeError)
    assert "add .jsonl" in str(error)


@pytest.mark.parametrize("spec", ["small-1b", "openai:http://localhost:1/v1", "file:b.jsonl"])
def test_a_candidate_that_names_no_model_is_refused_under_its_option(tmp_path, spec):
    (tmp_path / "q.jsonl").write_text('{"prompt": "x"}\n')

    error = CliRunner().invoke(app, ["local", "run", str(tmp_path / "q.jsonl"), "--a", spec])

    assert str(error.exception).startswith(
        f"--a {spec}: names no candidate: write openai:URL#MODEL"
    )


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_scorer_tried_on_nothing_is_an_error(tmp_path, content):
    (tmp_path / "x.jsonl").write_text(content)

    error = CliRunner().invoke(app, ["score", str(tmp_path / "x.jsonl"), "--scorer", "prime_math"])

    assert "x.jsonl is empty: write one JSON object per line" in str(error.exception)


def test_a_run_in_which_nothing_was_judged_is_an_error_with_an_example(tmp_path, capsys):
    nothing = Unscored("no verdict label in the judge's output")
    rows = [
        msgspec.structs.replace(
            row,
            judgment=Judgment(forward=nothing, backward=nothing, forward_output="I cannot say."),
        )
        for row in runs.generated_rows(4)
    ]
    folder = runs.write_run(tmp_path / "run", rows)
    ended = SimpleNamespace(status="SUCCEEDED", folder=folder)

    with pytest.raises(LocalModeError, match=r"Not one row was judged.*I cannot say\."):
        local._show(Console(width=400), ended)

    assert "4 times, judge, forward: no verdict label" in capsys.readouterr().out


def test_off_a_terminal_a_line_tells_how_far_judging_is(tmp_path, monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(local.time, "monotonic", lambda: now[0])
    display = local._Display(Console(width=400), tmp_path)
    for judged, seconds in ((0, 5), (50, 10), (100, 20), (200, 40)):
        now[0] += seconds
        display.state("RunJudgeJobs", 0, judged, 400)
    assert capsys.readouterr().out.splitlines() == [
        ": RunJudgeJobs, 100 of 400 rows judged, 3.3 a second, 90 s left",
        ": RunJudgeJobs, 200 of 400 rows judged, 2.9 a second, 70 s left",
    ]
