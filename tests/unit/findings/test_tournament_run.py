"""Commands on a run of many candidates name its pairs, which have the rows."""

import msgspec
import pytest
from typer.testing import CliRunner

import nova_judge as nj
from nova_judge.cli.main import app
from nova_judge.errors import SavedReportError
from nova_judge.findings.bradley_terry import Leaderboard
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.findings.saved_report import open_report
from nova_judge.findings.tournament_record import CandidateUse, PairResult, Tournament
from tests.made.runs import generated_rows, write_run

PAIRS = ("base-vs-first", "base-vs-second", "first-vs-second")


@pytest.fixture
def run(tmp_path):
    """Metrics of three candidates as they are published: without a file of rows."""
    folder = write_run(tmp_path / "three", generated_rows(12))
    metrics = open_report(folder).metrics
    uses = {"model": "m", "stand_in": None, "input_tokens": 1, "output_tokens": 1, "usd": None}
    pair = {"rows": 4, "win_rate": None, "p_holm": None, "better": None}
    tournament = Tournament(
        board=Leaderboard((), 1, (), 0.95, "Bradley-Terry"),
        pairs=tuple(
            PairResult(a=a, b=b, **pair, report=f"pairs/{a}-vs-{b}/")
            for a, b in (name.split("-vs-") for name in PAIRS)
        ),
        criteria=(),
        candidates=tuple(CandidateUse(name=name, **uses) for name in ("base", "first", "second")),
    )
    many = msgspec.structs.replace(
        metrics, tournament=tournament, candidates={}, win_rate=None, verdict=None, profiles=None
    )
    (folder / "report/metrics.json").write_bytes(encode_metrics(many))
    (folder / "report/judgments.parquet").unlink()
    return folder


@pytest.mark.parametrize(
    "command",
    ["leaderboard", "rows", "audit", "review", "export --format dpo --out never.jsonl"],
)
def test_a_run_of_many_candidates_names_the_folders_of_its_pairs(run, command):
    ran = CliRunner().invoke(app, [*command.split(), str(run)])
    said = "three compared 3 candidates: its rows are those of its pairs; name one of "
    folders = ", ".join(str(run / "report/pairs" / name) for name in PAIRS)
    assert str(ran.exception) == said + folders


def test_python_says_the_same_of_its_rows(run):
    for rows in (nj.open(run).rows, lambda: list(nj.open(run).judgments())):
        with pytest.raises(SavedReportError, match="three compared 3 candidates"):
            rows()


def test_the_gate_is_asked_of_a_pair(run):
    decision = nj.open(run).gate()
    assert decision.outcome is nj.GateOutcome.NOT_EVALUATED
    assert decision.reason == (
        "the run compared 3 candidates: name one of its pairs, which are in its report folder: "
        "pairs/base-vs-first/, pairs/base-vs-second/, pairs/first-vs-second/"
    )


def test_the_history_counts_the_candidates(run):
    ran = CliRunner().invoke(app, ["history", str(run.parent)], env={"COLUMNS": "200"})
    assert "3 candidates" in ran.stdout
    assert "no name" not in ran.stdout


def test_a_failed_run_says_that_it_failed(tmp_path):
    folder = write_run(tmp_path / "late", generated_rows(12))
    metrics = open_report(folder).metrics
    failed = msgspec.structs.replace(metrics, status="failed")
    (folder / "report/metrics.json").write_bytes(encode_metrics(failed))
    with pytest.raises(SavedReportError, match="late failed and has no judged rows"):
        nj.open(folder).rows()
