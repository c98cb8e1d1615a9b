"""The gate: four exit codes, one line why."""

import msgspec
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import RequestError
from nova_judge.findings.merge_gate import GateOutcome, judge_gate, saved_contest
from nova_judge.findings.metrics import compute_metrics
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.recipe.trigger import GateDemands
from nova_judge.records import InputRow, JudgedRow, Judgment, Verdict
from nova_judge.statistics.contest import win_rate_of
from nova_judge.statistics.statistics_settings import StatisticsSettings
from tests.made import generated
from tests.made.changed import changed

RUNNER = CliRunner()


ALLOWED = 0.1
"""The generated run lost an order of one row in forty."""


def outcome(metrics, **rules):
    return judge_gate(metrics, GateDemands(**{"max_errors": ALLOWED} | rules)).outcome


def test_interval_decides_against_the_least_rate(rubric_metrics):
    rate = rubric_metrics.win_rate
    assert outcome(rubric_metrics, min_win_rate=rate.low) is GateOutcome.PASS
    assert outcome(rubric_metrics, min_win_rate=rate.estimate) is GateOutcome.INCONCLUSIVE
    assert outcome(rubric_metrics, min_win_rate=rate.high) is GateOutcome.INCONCLUSIVE
    assert outcome(rubric_metrics, min_win_rate=rate.high + 1e-9) is GateOutcome.WORSE


def test_failed_run_blocked_verdict_and_lost_rows_are_no_pass(rubric_metrics, failed_run_metrics):
    assert outcome(failed_run_metrics) is GateOutcome.NOT_EVALUATED
    assert outcome(rubric_metrics, max_errors=0.01) is GateOutcome.NOT_EVALUATED
    blocked = changed(rubric_metrics, "statistics.blocked_by", ("the A/A control prefers A",))
    assert outcome(blocked) is GateOutcome.INCONCLUSIVE


@pytest.fixture
def stopped_metrics():
    """A run of 1,000 rows that stopped when 200 of them had decided."""
    sides = [Verdict.B if line % 6 else Verdict.A for line in range(1, 201)]
    rows = [
        JudgedRow(
            row=InputRow(line=line, id=str(line), prompt=f"q {line}"),
            judgment=Judgment(forward=side, backward=side),
        )
        for line, side in enumerate(sides, start=1)
    ]
    facts = generated.facts(200)
    stopped = msgspec.structs.replace(
        facts,
        rows=msgspec.structs.replace(facts.rows, input=facts.rows.input + 800, not_judged=800),
        statistics=StatisticsSettings(anytime=True),
    )
    return compute_metrics(stopped, rows, None)


def test_rows_left_over_by_an_early_stop_are_not_lost(stopped_metrics):
    found = judge_gate(stopped_metrics, GateDemands())
    assert found.outcome is GateOutcome.PASS
    assert "7 of 207 rows without a verdict (3.4 %)" in found.reason
    assert outcome(stopped_metrics, max_errors=0.03) is GateOutcome.NOT_EVALUATED


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_another_level_keeps_the_kind_of_interval(stopped_metrics, rubric_metrics, level):
    for metrics in (stopped_metrics, rubric_metrics):
        settings = msgspec.structs.replace(metrics.statistics, level=level)
        ends = win_rate_of(saved_contest(metrics), settings)
        assert outcome(metrics, min_win_rate=ends.low, confidence=level) is GateOutcome.PASS
        above = {"min_win_rate": ends.high + 1e-9, "confidence": level}
        assert outcome(metrics, **above) is GateOutcome.WORSE
        below = {"min_win_rate": ends.low + 1e-9, "confidence": level}
        assert outcome(metrics, **below) is GateOutcome.INCONCLUSIVE


def test_criterion_decides_by_its_interval(rubric_metrics):
    margin = rubric_metrics.rubric.criteria[0].margin
    name = rubric_metrics.rubric.criteria[0].name
    assert outcome(rubric_metrics, criteria={name: -margin.high}) is GateOutcome.PASS
    assert outcome(rubric_metrics, criteria={name: -margin.mean}) is GateOutcome.INCONCLUSIVE
    assert outcome(rubric_metrics, criteria={name: -margin.low + 1e-9}) is GateOutcome.WORSE
    assert outcome(rubric_metrics, criteria={"no such": 0}) is GateOutcome.NOT_EVALUATED


def test_a_judge_that_favours_a_position_decides_no_criterion():
    found = judge_gate(
        generated.metrics(generated.position_biased_rows()),
        GateDemands(min_win_rate=0.4, criteria={"accuracy": -0.03}),
    )
    assert found.outcome is GateOutcome.INCONCLUSIVE
    assert "accuracy: The judge favours the answer shown first" in found.reason


def test_one_criterion_of_many_is_worse_only_at_their_common_error_rate(rubric_metrics):
    criteria = rubric_metrics.rubric.criteria
    margin, names = criteria[0].margin, [each.name for each in criteria]
    half = margin.mean - margin.low
    barely = {names[0]: -margin.low + 0.1 * half}
    others = dict.fromkeys(names[1:], -1.0)
    assert outcome(rubric_metrics, criteria=barely) is GateOutcome.WORSE
    found = judge_gate(rubric_metrics, GateDemands(max_errors=ALLOWED, criteria=barely | others))
    assert found.outcome is GateOutcome.INCONCLUSIVE
    assert f"not beyond chance among {len(names)} criteria" in found.reason
    clearly = {names[0]: -margin.low + half}
    assert outcome(rubric_metrics, criteria=clearly | others) is GateOutcome.WORSE


def test_worse_outranks_inconclusive(rubric_metrics):
    name = rubric_metrics.rubric.criteria[0].name
    found = judge_gate(
        rubric_metrics,
        GateDemands(max_errors=ALLOWED, min_win_rate=0.6, criteria={name: 0.9}),
    )
    assert found.outcome is GateOutcome.WORSE


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--min-win-rate", "0.9"], 1),
        (["--min-win-rate", "0.6"], 2),
        (["--min-win-rate", "0.58", "--confidence", "0.5"], 0),
        (["--max-errors", "0.05"], 3),
        (["--criterion", "completeness:0"], 0),
        (["--criterion", "completeness:0.5"], 1),
        (["--no-such-option"], 3),
        (["--min-win-rate", "high"], 3),
    ],
)
def test_exit_codes(rubric_metrics, tmp_path, options, code):
    path = tmp_path / "metrics.json"
    path.write_bytes(encode_metrics(rubric_metrics))
    result = RUNNER.invoke(app, ["gate", str(path), "--max-errors", str(ALLOWED), *options])
    assert result.exit_code == code
    if code != 3 or options[0] == "--max-errors":
        assert len(result.stdout.splitlines()) == 1


def test_a_criterion_has_one_least_difference(rubric_metrics, tmp_path):
    """The second would put the first out of force."""
    path = tmp_path / "metrics.json"
    path.write_bytes(encode_metrics(rubric_metrics))
    twice = ["--criterion", "completeness:0.5", "--criterion", "completeness:0"]
    with pytest.raises(RequestError, match="completeness has a least value already"):
        RUNNER.invoke(app, ["gate", str(path), *twice], catch_exceptions=False)


def test_summary_is_written(rubric_metrics, tmp_path):
    path, summary = tmp_path / "metrics.json", tmp_path / "report.md"
    path.write_bytes(encode_metrics(rubric_metrics))
    options = ["gate", str(path), "--max-errors", str(ALLOWED), "--summary"]
    assert RUNNER.invoke(app, [*options, str(summary)]).exit_code == 0
    assert summary.read_text().startswith("## B is better")
