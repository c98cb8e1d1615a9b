"""The composite action: its own shell text, run as GitHub runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import ryaml

from nova_judge.findings.metrics_record import encode_metrics

ROOT = Path(__file__).parents[3]
STEPS = {
    step.get("name"): step
    for step in ryaml.loads((ROOT / "action.yml").read_text())["runs"]["steps"]
}


def run_step(name, environment, tmp_path):
    folder = Path(sys.executable).parent
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", STEPS[name]["run"]],
        env={"PATH": f"{folder}:{os.environ['PATH']}", **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def gate(tmp_path, run, **given):
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {
        "RUN": str(run),
        "MIN_WIN_RATE": "0.5",
        "CONFIDENCE": "",
        "MAX_ERRORS": "0.1",
        "CRITERIA": "",
        "RUNNER_TEMP": str(tmp_path),
        **{name: str(path) for name, path in files.items()},
        **given,
    }
    done = run_step("Gate", environment, tmp_path)
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
def test_gate_step_tells_outcome_and_reason(rubric_metrics, tmp_path, given, outcome):
    (tmp_path / "metrics.json").write_bytes(encode_metrics(rubric_metrics))
    outputs, summary = gate(tmp_path, tmp_path / "metrics.json", **given)
    assert outputs["outcome"] == outcome
    if outcome != "not-evaluated":
        assert "win rate of B" in outputs["reason"]
        assert summary.startswith("## B is better")


def test_run_that_looks_like_an_option_or_a_command_is_only_a_path(tmp_path):
    for name in ("--help", "$(touch pwned)", "; touch pwned"):
        outputs, _ = gate(tmp_path, name)
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
