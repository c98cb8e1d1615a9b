"""The gate: four exit codes, one line why."""

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.report.write import render_metrics
from nova_judge.results.gate import GateRules, Outcome, judge_gate

RUNNER = CliRunner()


def outcome(metrics, **rules):
    return judge_gate(metrics, GateRules(**rules)).outcome


def test_interval_decides_against_the_least_rate(rubric_metrics):
    rate = rubric_metrics["win_rate"]
    assert outcome(rubric_metrics, min_win_rate=rate["low"]) is Outcome.PASS
    assert outcome(rubric_metrics, min_win_rate=rate["estimate"]) is Outcome.INCONCLUSIVE
    assert outcome(rubric_metrics, min_win_rate=rate["high"]) is Outcome.INCONCLUSIVE
    assert outcome(rubric_metrics, min_win_rate=rate["high"] + 1e-9) is Outcome.WORSE


def test_failed_run_blocked_verdict_and_lost_rows_are_no_pass(rubric_metrics, failed_run_metrics):
    assert outcome(failed_run_metrics) is Outcome.NOT_EVALUATED
    assert outcome(rubric_metrics, max_errors=0.01) is Outcome.NOT_EVALUATED
    rubric_metrics["verdict"]["blocked_by"] = ["the A/A control prefers A"]
    assert outcome(rubric_metrics) is Outcome.INCONCLUSIVE


def test_criterion_decides_by_its_interval(rubric_metrics):
    margin = rubric_metrics["rubric"]["criteria"][0]["margin"]
    name = rubric_metrics["rubric"]["criteria"][0]["name"]
    assert outcome(rubric_metrics, criteria={name: -margin["high"]}) is Outcome.PASS
    assert outcome(rubric_metrics, criteria={name: -margin["mean"]}) is Outcome.INCONCLUSIVE
    assert outcome(rubric_metrics, criteria={name: -margin["low"] + 1e-9}) is Outcome.WORSE
    assert outcome(rubric_metrics, criteria={"no such": 0}) is Outcome.NOT_EVALUATED


def test_worse_outranks_inconclusive(rubric_metrics):
    name = rubric_metrics["rubric"]["criteria"][0]["name"]
    found = judge_gate(rubric_metrics, GateRules(min_win_rate=0.6, criteria={name: 0.9}))
    assert found.outcome is Outcome.WORSE


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--min-win-rate", "0.9"], 1),
        (["--min-win-rate", "0.6"], 2),
        (["--min-win-rate", "0.58", "--confidence", "0.5"], 0),
        (["--max-errors", "0"], 3),
        (["--criterion", "completeness:0"], 0),
        (["--criterion", "completeness:0.5"], 1),
        (["--no-such-option"], 3),
        (["--min-win-rate", "high"], 3),
    ],
)
def test_exit_codes(rubric_metrics, tmp_path, options, code):
    path = tmp_path / "metrics.json"
    path.write_bytes(render_metrics(rubric_metrics))
    result = RUNNER.invoke(app, ["gate", str(path), *options])
    assert result.exit_code == code
    if code != 3 or options[0] == "--max-errors":
        assert len(result.stdout.splitlines()) == 1


def test_summary_is_written(rubric_metrics, tmp_path):
    path, summary = tmp_path / "metrics.json", tmp_path / "report.md"
    path.write_bytes(render_metrics(rubric_metrics))
    assert RUNNER.invoke(app, ["gate", str(path), "--summary", str(summary)]).exit_code == 0
    assert summary.read_text().startswith("## B is better")
