"""Judges compared: pairs found by prompt and answers, agreement, kappa, the page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nova_judge.cli.cross_check import cross_check_json, render_cross_check
from nova_judge.errors import NotComparableError
from nova_judge.findings.judge_agreement import (
    JudgedPair,
    JudgeVerdicts,
    Pair,
    cross_check,
    judge_of,
)
from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.findings.saved_report import open_report
from nova_judge.records import InputRow, JudgedRow, Judgment, Unscored, Verdict
from nova_judge.report.report_rows import ScoredAnswers
from nova_judge.report.write import render_report
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable
from nova_judge.statistics.outcomes import Outcome
from tests.made import generated, scored
from tests.made.changed import changed

A, B, TIE = Outcome.A, Outcome.B, Outcome.TIE


def judge(name: str, *verdicts: Outcome) -> JudgeVerdicts:
    pairs = [
        JudgedPair(Pair(f"p{n}", "a", "b"), verdict, "odd" if n % 2 else "even")
        for n, verdict in enumerate(verdicts)
    ]
    return JudgeVerdicts(name, pairs)


def test_agreement_and_kappa_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = [A, B, B, TIE, A, B] * 5, [A, B, A, TIE, B, B] * 5
    found = cross_check([judge("x", *first), judge("y", *second)])
    (pair,) = found.pairs
    assert (pair.rows, pair.agreed) == (30, 20)
    assert pair.kappa.estimate == pytest.approx(cohen_kappa_score(first, second))
    assert pair.kappa.low < pair.kappa.estimate < pair.kappa.high
    assert sum(map(sum, pair.table)) == 30
    assert {c.name: (c.rows, c.agreed) for c in pair.by_category} == {
        "even": (15, 5),
        "odd": (15, 15),
    }
    assert len(found.differences) == 10


def test_three_judges_are_compared_two_by_two_on_what_each_two_share() -> None:
    found = cross_check([judge("x", A, B, A), judge("y", A, B), judge("z", A, A, A)])
    assert [(p.first, p.second, p.rows) for p in found.pairs] == [
        ("x", "y", 2),
        ("x", "z", 3),
        ("y", "z", 2),
    ]
    assert found.common == 2


def test_judges_of_other_pairs_are_refused() -> None:
    with pytest.raises(NotComparableError, match="Judge one file with both recipes"):
        cross_check(
            [judge("x", A, B), JudgeVerdicts("y", [JudgedPair(Pair("other", "a", "b"), A)])]
        )


@pytest.fixture
def judging_run(tmp_path: Path) -> Path:
    def row(number: int, forward: object, backward: object) -> JudgedRow:
        texts = {"prompt": f"q{number}", "response_A": f"a{number}", "response_B": f"b{number}"}
        return JudgedRow(
            row=InputRow(line=number, id=str(number), category="c", **texts),
            judgment=Judgment(forward=forward, backward=backward),
        )

    folder = tmp_path / "judging"
    folder.mkdir()
    missing = Unscored("no label")
    rows = [
        row(1, Verdict.B, Verdict.B),
        row(2, Verdict.A, Verdict.B),
        row(3, Verdict.A, missing),
        row(4, missing, missing),
    ]
    write_judgments(rows, folder / "judgments.parquet")
    metrics = changed(generated.metrics(generated.judged_rows(1)), "kind", "llm_judge")
    (folder / "metrics.json").write_bytes(encode_metrics(metrics))
    return folder


@pytest.fixture
def scoring_run(tmp_path: Path) -> Callable[[str], Path]:
    def write(better: str) -> Path:
        scores = [
            AnswerScore(
                side, "m", number, value, prompt=f"q{number}", answer=f"{side.lower()}{number}"
            )
            for number in (1, 2, 3)
            for side, value in (("A", 0.5), ("B", number / 4))
        ]
        scores.append(AnswerScore("A", "m", 9, 1.0, prompt="only one side"))
        table = ScoreTable()
        for score in scores:
            table.add(score)
        table.facts["m"] = MetricFacts(better=better)
        folder = tmp_path / "scoring"
        folder.mkdir()
        for name, content in render_report(scored.metrics(table), ScoredAnswers(scores)):
            (folder / name).write_bytes(content)
        return folder

    return write


def verdicts_of(judge: JudgeVerdicts) -> dict[str, Outcome | None]:
    return {judged.pair.prompt: judged.verdict for judged in judge.pairs}


def test_a_judging_run_speaks_over_both_orders(judging_run: Path) -> None:
    found = judge_of(open_report(judging_run))
    assert verdicts_of(found) == {"q1": B, "q2": TIE, "q3": None, "q4": None}


def test_a_scoring_run_speaks_by_the_higher_score(
    scoring_run: Callable[[str], Path], judging_run: Path
) -> None:
    found = judge_of(open_report(scoring_run("higher")))
    assert verdicts_of(found) == {"q1": A, "q2": TIE, "q3": B}
    (pair,) = cross_check([judge_of(open_report(judging_run)), found]).pairs
    assert (pair.rows, pair.agreed) == (2, 1)


def test_where_less_is_better_the_lower_score_wins(scoring_run: Callable[[str], Path]) -> None:
    found = judge_of(open_report(scoring_run("lower")))
    assert found.pairs[0] == JudgedPair(Pair("q1", "a1", "b1"), B)


def test_an_unknown_metric_names_those_there_are(scoring_run: Callable[[str], Path]) -> None:
    with pytest.raises(NotComparableError, match="it has m"):
        judge_of(open_report(scoring_run("higher")), "n")


def test_the_page_escapes_what_models_wrote() -> None:
    hostile = Pair("<script>alert(1)</script>", "<b>a</b>", "b")
    other = Pair("q", "a", "b")
    first = JudgeVerdicts("<i>x</i>", [JudgedPair(hostile, A), JudgedPair(other, A)])
    second = JudgeVerdicts("y", [JudgedPair(hostile, B), JudgedPair(other, A)])
    found = cross_check([first, second])
    page = render_cross_check(found)
    assert "<script>alert" not in page
    assert "<i>x</i>" not in page
    assert "&lt;script&gt;alert(1)" in page
    plain = cross_check_json(found)
    assert plain["pairs"][0].agreement == 0.5
    assert plain["differences"][0]["verdicts"] == {"<i>x</i>": "A", "y": "B"}


def test_equal_pairs_are_matched_in_their_order_and_none_is_dropped() -> None:
    def repeated(name: str, *verdicts: Outcome) -> JudgeVerdicts:
        return JudgeVerdicts(name, [JudgedPair(Pair("p", "a", "b"), each) for each in verdicts])

    checked = cross_check([repeated("x", A, B, TIE), repeated("y", A, A, TIE)])
    assert (checked.common, checked.pairs[0].agreed, checked.repeated) == (3, 2, 2)
    assert "2 rows repeat an earlier pair: matched by their ids." in render_cross_check(checked)
    told = cross_check_json(checked)
    assert (told["repeated"], told["by_ids"]) == (2, True)


def with_ids(name: str, **verdicts: Outcome) -> JudgeVerdicts:
    """One pair several times, in the order given, each with an id of its own."""
    pairs = [JudgedPair(Pair("p", "a", "b", id=row), verdict) for row, verdict in verdicts.items()]
    return JudgeVerdicts(name, pairs)


def test_equal_pairs_are_matched_by_their_ids_whatever_their_order() -> None:
    checked = cross_check([with_ids("x", one=A, two=B), with_ids("y", two=B, one=A)])
    assert (checked.pairs[0].agreed, checked.by_ids) == (2, True)


def test_where_ids_differ_equal_pairs_are_matched_in_their_order_and_told() -> None:
    checked = cross_check([with_ids("x", one=A, two=B), with_ids("x", three=A, four=A)])
    assert (checked.common, checked.pairs[0].agreed, checked.by_ids) == (2, 1, False)
    assert "because the runs&#39; ids differ" in render_cross_check(checked)
    told = cross_check_json(checked)
    (difference,) = told["differences"]
    assert difference["verdicts"] == {"x": "B", "x (2)": "A"}
