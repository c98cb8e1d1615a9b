"""The composite action: its own shell text, run as GitHub runs it."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import ryaml

from nova_judge.findings.metrics_record import encode_metrics
from tests.made.forks import program_from
from tests.made.runs import generated_rows, write_run

ROOT = Path(__file__).parents[3]
STEPS = {
    step.get("name"): step
    for step in ryaml.loads((ROOT / "action.yml").read_text())["runs"]["steps"]
}


@pytest.fixture(scope="module")
def program(forks, tmp_path_factory):
    return program_from(forks, tmp_path_factory.mktemp("program"))


def run_step(name, environment, tmp_path, folder=Path(sys.executable).parent):
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", STEPS[name]["run"]],
        env={"PATH": f"{folder}:{os.environ['PATH']}", **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def gate(program, tmp_path):
    return functools.partial(_gate, program, tmp_path)


def _gate(program, tmp_path, run, **given):
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {
        "RUN": str(run),
        "MIN_WIN_RATE": "0.5",
        "CONFIDENCE": "",
        "MAX_ERRORS": "0.1",
        "CRITERIA": "",
        "WEIGHTS": "",
        "RUNNER_TEMP": str(tmp_path),
        **{name: str(path) for name, path in files.items()},
        **given,
    }
    done = run_step("Gate", environment, tmp_path, program)
    assert done.returncode == 0, done.stderr
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    summary = files["GITHUB_STEP_SUMMARY"]
    return outputs, summary.read_text() if summary.exists() else ""


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({}, "pass"),
        ({"MIN_WIN_RATE": "0.9", "CRITERIA": "completeness:0\nclarity:-1\n"}, "worse"),
        ({"MIN_WIN_RATE": "0.6"}, "inconclusive"),
        ({"CONFIDENCE": "high"}, "not-evaluated"),
    ],
)
def test_gate_step_tells_outcome_and_reason(gate, rubric_metrics, tmp_path, given, outcome):
    (tmp_path / "metrics.json").write_bytes(encode_metrics(rubric_metrics))
    outputs, summary = gate(tmp_path / "metrics.json", **given)
    assert outputs["outcome"] == outcome
    if outcome != "not-evaluated":
        assert "win rate of B" in outputs["reason"]
        assert summary.startswith("## B is better")


def test_run_that_looks_like_an_option_or_a_command_is_only_a_path(gate, tmp_path):
    for name in ("--help", "$(touch pwned)", "; touch pwned"):
        outputs, _ = gate(name)
        assert outputs["outcome"] == "not-evaluated"
        (tmp_path / "GITHUB_OUTPUT").unlink()
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("outcome", "strict", "code"),
    [
        ("pass", "true", 0),
        ("worse", "true", 1),
        ("inconclusive", "true", 2),
        ("inconclusive", "false", 0),
        ("not-evaluated", "false", 3),
        ("", "false", 3),
    ],
)
def test_last_step_fails_the_job(tmp_path, outcome, strict, code):
    environment = {"OUTCOME": outcome, "FAIL_ON_INCONCLUSIVE": strict}
    assert run_step("Decide", environment, tmp_path).returncode == code


def test_inputs_never_reach_a_script_as_text():
    assert [name for name, step in STEPS.items() if "${{" in step.get("run", "")] == []


def test_gate_leaves_test_cases_and_the_page_for_the_artifact(gate, tmp_path):
    run = write_run(tmp_path / "run", generated_rows(30))
    outputs, _ = gate(run, WEIGHTS="clarity=1", MAX_ERRORS="1")
    assert "Reweighed: clarity=1" in outputs["reason"]
    assert outputs["junit"] == str(tmp_path / "nova-judge-junit.xml")
    assert "criterion clarity" in (tmp_path / "nova-judge-junit.xml").read_text()
    page = tmp_path / "nova-judge-report/report.html"
    assert "in place of the judge" in page.read_text()


GH = """#!/bin/sh
echo "$@" >> "$CALLS"
for word in "$@"; do case "$word" in body=@*) cat "${word#body=@}" > "$BODY" ;; esac; done
case "$*" in *--paginate*) printf '%b' "$LISTED"; exit "$CODE" ;; esac
"""


def comment(tmp_path, listed="", code="0", **given):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    (tmp_path / "nova-judge.md").write_text("## B is better\n")
    environment = {
        **{"RUNNER_TEMP": str(tmp_path), "GH_TOKEN": "t", "PULL_REQUEST": "7"},
        **{"REPOSITORY": "us/app", "NAME": "gate", "REPORT_URL": "https://example.com/artifact/1"},
        **{"CALLS": str(tmp_path / "calls"), "BODY": str(tmp_path / "body")},
        **{"LISTED": listed, "CODE": code},
        **given,
    }
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", STEPS["Keep one comment"]["run"]],
        env={**environment, "PATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    body = tmp_path / "body"
    return (tmp_path / "calls").read_text(), body.read_text() if body.exists() else "", done.stdout


def test_first_comment_is_posted_with_its_marker_and_the_pages_address(tmp_path):
    calls, body, _ = comment(tmp_path)
    assert "--method POST repos/us/app/issues/7/comments" in calls
    assert body.startswith("<!-- nova-judge gate -->\n## B is better\n")
    assert "(https://example.com/artifact/1)" in body


def test_comment_of_this_gate_is_edited_and_no_other(tmp_path):
    calls, body, _ = comment(tmp_path, listed="101\\n202\\n", NAME="a b/../c", REPORT_URL="")
    assert "--method PATCH repos/us/app/issues/comments/101" in calls
    assert "POST" not in calls
    assert body.startswith("<!-- nova-judge a-b----c -->\n")
    assert "whole report" not in body


def test_comment_that_cannot_be_kept_warns_and_leaves_the_outcome(tmp_path):
    calls, _, out = comment(tmp_path, code="1")
    assert "::warning::The comment could not be kept" in out
    assert "POST" not in calls
