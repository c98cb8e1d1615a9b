"""Weights that somebody chose reach the gate, the report, the audit and the comparison."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.findings.metrics_record import Reweighing, decode_metrics
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.saved_report import open_report
from nova_judge.records import Criterion, InputRow, JudgedRow, Judgment, Rubric, Verdict
from nova_judge.statistics.decision import Word
from tests.made.command_line import asked
from tests.made.runs import write_run

RUNNER = CliRunner()
FAITHFUL = {"only": "faithfulness"}


def criterion(name, weight, of_a, of_b):
    return Criterion(name=name, weight=weight, type="scale", score_A=of_a, score_B=of_b)


def rows(count=60, prompts=None):
    """The judge says A in both orders, for its wordy answers; faithfulness says B."""
    rubric = Rubric(criteria=(criterion("depth", 0.9, 5, 2), criterion("faithfulness", 0.1, 1, 4)))
    judged = Judgment(forward=Verdict.A, backward=Verdict.A, rubric=rubric)
    return [
        JudgedRow(
            row=InputRow(
                line=line,
                id=f"q{line}",
                prompt=f"question {line % (prompts or count)}?",
                response_A="long",
                response_B="true",
            ),
            judgment=judged,
        )
        for line in range(1, count + 1)
    ]


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "rag", rows())


@pytest.mark.parametrize("least", ["nan", "inf", "-inf", "much"])
def test_a_demand_on_a_criterion_is_a_finite_number(run, least):
    with pytest.raises(AssertionError, match=f"^--criterion faithfulness:{least}: write NAME:"):
        asked("gate", run, "--criterion", f"faithfulness:{least}")


def test_gate_follows_the_weights_and_says_so(run):
    assert asked("gate", run).exit_code == 1
    done = asked("gate", run, "--only", "faithfulness")
    assert done.exit_code == 0
    assert done.stdout.startswith("PASS: win rate of B 100.0 %")
    assert "under the weights only faithfulness" in done.stdout


def test_verdict_is_that_of_reweight_with_its_correction_for_looks(run):
    figures = json.loads(asked("reweight", run, "--only", "faithfulness", "--json").stdout)
    metrics = reweighed_report(open_report(run), Reweighing(**FAITHFUL)).metrics
    assert metrics.verdict is not None
    assert metrics.verdict.sentence == figures["verdict"]["sentence"]
    assert (metrics.verdict.a, metrics.verdict.b) == (0, 60)
    # chi-square with two degrees at .95 is 5.991: 0.05 / (2 Phi(-sqrt(5.991))) = 3.478
    assert abs(metrics.statistics.looks - 3.478) < 0.12
    assert metrics.rubric.weighted_score_B.mean == 0.75
    assert metrics.positions == open_report(run).metrics.positions


def test_choice_of_weights_widens_the_interval_that_decides_alone(tmp_path):
    run = write_run(tmp_path / "short", rows(8))
    plain = asked("gate", run, "--only", "faithfulness", "--min-win-rate", "0.3").stdout
    assert "98.5173 % interval" in plain


def test_report_written_anew_says_that_it_was_reweighed_and_holds(run, tmp_path):
    out = tmp_path / "reweighed"
    done = asked("report", run, "--only", "faithfulness", "--out", out)
    assert "B is better" in done.stdout
    assert "Reweighed: only faithfulness in place of the judge's weights" in " ".join(
        done.stdout.split()
    )
    for name in ("report.md", "report.html"):
        assert "faithfulness in place of the judge" in (out / name).read_text()
    assert "both orders name" not in (out / "report.html").read_text().lower()
    stored = decode_metrics((out / "metrics.json").read_bytes(), "metrics.json")
    assert stored.reweighed == Reweighing(**FAITHFUL)
    assert asked("audit", out).exit_code == 0
    assert asked("gate", out).exit_code == 0
    assert decode_metrics((run / "report/metrics.json").read_bytes(), "").reweighed is None


def test_audit_finds_a_reweighed_figure_that_does_not_hold(run, tmp_path):
    asked("report", run, "--only", "faithfulness", "--out", tmp_path / "out")
    path = tmp_path / "out/metrics.json"
    path.write_bytes(path.read_bytes().replace(b'"b": 60', b'"b": 61'))
    assert asked("audit", tmp_path / "out").exit_code == 1


def test_reports_own_folder_is_not_overwritten(run):
    done = RUNNER.invoke(app, ["report", str(run), "--only", "depth", "--out", str(run / "report")])
    assert "holds the run's own report" in str(done.exception)


def test_runs_under_different_weights_are_not_compared(run, tmp_path):
    other = write_run(tmp_path / "later", rows(), candidate="model-c")
    asked("report", other, "--only", "faithfulness", "--out", tmp_path / "out")
    done = RUNNER.invoke(app, ["compare", str(run), str(tmp_path / "out")])
    assert "differ in weights: none and only faithfulness" in str(done.exception)
    (change, *_) = json.loads(
        asked("compare", run, other, "--only", "faithfulness", "--json").stdout
    )[0]["changes"]
    assert (change["measure"], change["first"], change["other"]) == ("win rate", 1.0, 1.0)


def test_repeated_prompts_are_no_further_evidence(tmp_path):
    run = write_run(tmp_path / "repeats", rows(60, prompts=4))
    metrics = reweighed_report(open_report(run), Reweighing(**FAITHFUL)).metrics
    assert metrics.verdict.word is Word.INCONCLUSIVE
    assert metrics.verdict.prompts == 4
    figures = json.loads(asked("reweight", run, "--only", "faithfulness", "--json").stdout)
    assert figures["verdict"]["word"] == "inconclusive"


def test_position_bias_blocks_reweighed_verdicts_everywhere(tmp_path):
    biased = [
        msgspec.structs.replace(
            row, judgment=msgspec.structs.replace(row.judgment, backward=Verdict.B)
        )
        for row in rows()
    ]
    run = write_run(tmp_path / "biased", biased)
    assert asked("gate", run, "--only", "faithfulness").exit_code == 2
    other = write_run(tmp_path / "other", rows(), candidate="model-c")
    done = RUNNER.invoke(app, ["compare", str(other), str(run), "--only", "faithfulness"])
    assert "is blocked" in str(done.exception)


def test_unknown_criterion_and_a_run_without_rubrics_are_refused(run, tmp_path):
    done = RUNNER.invoke(app, ["gate", str(run), "--only", "charm"])
    assert "No row of this run has a criterion 'charm'" in str(done.exception)
    plain = [
        msgspec.structs.replace(row, judgment=msgspec.structs.replace(row.judgment, rubric=None))
        for row in rows()
    ]
    bare = write_run(tmp_path / "bare", plain)
    done = RUNNER.invoke(app, ["gate", str(bare), "--only", "depth"])
    assert "has no readable rubric" in str(done.exception)
