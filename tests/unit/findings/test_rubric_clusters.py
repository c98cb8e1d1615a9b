"""Criteria and weighted scores of runs in which prompts repeat."""

from collections.abc import Iterable

import pytest

from nova_judge.findings.rubric_record import RubricFindings
from nova_judge.findings.run_evidence import evidence_of
from nova_judge.records import Criterion, InputRow, JudgedRow, Judgment, Rubric, Verdict
from nova_judge.statistics.statistics_settings import DEFAULTS


def judged(number: int, copy: int) -> JudgedRow:
    """Candidate A is a point ahead on 13 of 20 prompts, and behind on 7."""
    ahead = number % 20 < 13
    criterion = Criterion(
        name="accuracy",
        weight=1.0,
        type="scale",
        score_A=4.0 if ahead else 3.0,
        score_B=3.0 if ahead else 4.0,
    )
    return JudgedRow(
        row=InputRow(line=20 * copy + number + 1, prompt=f"question {number}", id=f"{number}"),
        judgment=Judgment(
            forward=Verdict.A, backward=Verdict.A, rubric=Rubric(criteria=(criterion,))
        ),
    )


def findings(rows: Iterable[JudgedRow]) -> RubricFindings:
    found = evidence_of(rows)
    return found.rubrics.metrics(DEFAULTS, found.evidence)


def test_ten_copies_of_each_row_make_no_criterion_differ() -> None:
    once = findings(judged(number, 0) for number in range(20))
    copied = findings(judged(number, copy) for copy in range(10) for number in range(20))
    assert (once.n, copied.n) == (20, 200)
    (first,), (second,) = once.criteria, copied.criteria
    assert (first.differs, second.differs) == (False, False)
    # Student's t of 200 rows would say p < .001.
    assert second.p_value == pytest.approx(first.p_value) == pytest.approx(0.1864, abs=1e-4)
    for one, other in (
        (first.margin, second.margin),
        (once.score_margin, copied.score_margin),
    ):
        assert (other.low, other.high) == pytest.approx((one.low, one.high))
        assert other.n == 200
    of_one, of_other = once.weighted_score_A, copied.weighted_score_A
    assert (of_other.low, of_other.high) == pytest.approx((of_one.low, of_one.high), abs=0.03)
