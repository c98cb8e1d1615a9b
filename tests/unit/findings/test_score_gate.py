"""The gate on runs that score single answers: differences, means, what is less the better."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import RequestError
from nova_judge.findings.merge_gate import GateOutcome, judge_gate
from nova_judge.findings.metrics_record import Metrics, Rows, encode_metrics
from nova_judge.recipe.trigger import GateDemands
from nova_judge.records import Unscored
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable
from tests.made import scored
from tests.made.changed import changed

ROWS = 200


def metrics(*subjects: str, better: str = "higher", unscored: int = 0) -> Metrics:
    """A's (or base's) mean is 0.3, B's (or customised's) 0.6."""
    table = ScoreTable()
    table.facts["m"] = MetricFacts(better=better)
    for subject in subjects:
        right = 6 if subject in ("B", "customised") else 3
        for row in range(ROWS):
            result: float | Unscored = float(row % 10 < right)
            missing = row < unscored
            table.add(AnswerScore(subject, "m", row, Unscored("late") if missing else result))
            table.add(AnswerScore(subject, "w", row, Unscored("never said")))
    all_judged = Rows(input=ROWS, rejected=0, generation_failed=0, judge_failed=0, judged=ROWS)
    return changed(scored.metrics(table, subjects), "rows", all_judged)


def gate(of: Metrics, **criteria: float) -> tuple[GateOutcome, str]:
    return judge_gate(of, GateDemands(criteria=criteria))


@pytest.mark.parametrize("pair", [("A", "B"), ("base", "customised")])
@pytest.mark.parametrize(
    ("least", "outcome"),
    [(0.0, GateOutcome.PASS), (0.3, GateOutcome.INCONCLUSIVE), (0.6, GateOutcome.WORSE)],
)
def test_of_two_the_difference_counts(
    pair: tuple[str, str], least: float, outcome: GateOutcome
) -> None:
    found, reason = gate(metrics(*pair), m=least)
    assert found is outcome
    assert f"m {pair[1]} less {pair[0]} 0.300" in reason


@pytest.mark.parametrize(
    ("least", "outcome"),
    [(0.5, GateOutcome.PASS), (0.6, GateOutcome.INCONCLUSIVE), (0.9, GateOutcome.WORSE)],
)
def test_of_one_the_mean_counts(least: float, outcome: GateOutcome) -> None:
    assert gate(metrics("customised"), m=least)[0] is outcome


def test_where_less_is_better_more_is_worse() -> None:
    harm = metrics("A", "B", better="lower")
    found, reason = gate(harm, m=0.0)
    assert found is GateOutcome.WORSE
    assert "against at most 0" in reason
    assert gate(harm, m=-0.6)[0] is GateOutcome.PASS
    alone = metrics("A", better="lower")
    assert gate(alone, m=0.5)[0] is GateOutcome.PASS
    assert gate(alone, m=0.3)[0] is GateOutcome.INCONCLUSIVE
    assert gate(alone, m=0.1)[0] is GateOutcome.WORSE


def test_what_was_not_scored_is_not_evaluated() -> None:
    run = metrics("A", "B")
    assert gate(run) == (
        GateOutcome.NOT_EVALUATED,
        "single answers were scored: name METRIC:LEAST; there are w, m",
    )
    assert gate(run, w=0.0) == (GateOutcome.NOT_EVALUATED, "w: no row has a score")
    assert gate(run, x=0.0) == (GateOutcome.NOT_EVALUATED, "no metric 'x'; there are: m, w")
    found, reason = gate(metrics("A", "B", unscored=20), m=0.0)
    assert found is GateOutcome.NOT_EVALUATED
    assert "m: 10.0 % of the rows have no score, more than 5.0 %" in reason


def test_another_level_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_bytes(encode_metrics(metrics("A", "B")))
    words = ["gate", str(tmp_path), "--criterion", "m:0"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert CliRunner().invoke(app, [*words, "--confidence", "0.95"]).exit_code == 0
    refused = CliRunner().invoke(app, [*words, "--confidence", "0.9"])
    assert isinstance(refused.exception, RequestError)
    assert "at 0.95" in str(refused.exception)
