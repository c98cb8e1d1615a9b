"""Rows that are judged twice: how far a judge agrees with itself."""

import msgspec
import pytest

from nova_judge.pairs.controls import FirstJudged, Retest, asked_again
from nova_judge.pairs.controls import retest as retest_of
from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.records import InputRow, JudgedRow, Judgment, Unscored, Verdict
from nova_judge.statistics.outcomes import profile_of
from nova_judge.statistics.win_rate import ScoreCounts, score_interval

LOST = Unscored("nothing was said")


def judged(line: int, forward: str | None, backward: str | None, prompt: str = "") -> JudgedRow:
    row = InputRow(line=line, id=f"row-{line}", prompt=prompt or f"question {line}")
    one, other = (LOST if verdict is None else Verdict(verdict) for verdict in (forward, backward))
    return JudgedRow(row=row, judgment=Judgment(forward=one, backward=other))


def retest(first: list[JudgedRow], again: list[JudgedRow]) -> Retest | None:
    known = {
        one.row.line: FirstJudged(cluster_of(one.row), profile_of(one.judgment)) for one in first
    }
    return retest_of(known, again)


def test_each_order_is_compared_with_itself() -> None:
    first = [judged(1, "A", "A"), judged(2, "A", "B"), judged(3, "B", "tie"), judged(4, "A", "A")]
    again = [judged(1, "A", "A"), judged(2, "B", "A"), judged(3, "B", "B")]
    found = retest(first, again)
    assert (found.rows, found.same.estimate, found.changed) == (3, 0.5, 1)
    assert found.same == score_interval(ScoreCounts((1, 1, 1)))


def test_a_lost_verdict_is_not_compared_and_both_bad_is_a_tie() -> None:
    first = [judged(1, None, "A"), judged(2, None, None), judged(3, "both_bad", "tie")]
    again = [judged(1, "A", "A"), judged(2, "A", "A"), judged(3, "tie", "tie")]
    found = retest(first, again)
    assert (found.rows, found.same.estimate) == (2, 1.0)
    assert found.changed == 1


def test_rows_that_were_not_judged_the_first_time_take_no_part() -> None:
    assert retest([judged(1, "A", "A")], [judged(2, "A", "A")]) is None
    assert retest([], [judged(2, "A", "A")]) is None


def test_rows_of_one_prompt_widen_the_interval() -> None:
    pairs = [("A", "A") if n < 16 else ("B", "B") for n in range(20)]
    alone = [judged(n, "A", "A") for n in range(20)]
    together = [judged(n, "A", "A", f"prompt {n // 4}") for n in range(20)]
    found = [
        retest(
            rows,
            [
                msgspec.structs.replace(
                    row, judgment=Judgment(forward=Verdict(f), backward=Verdict(b))
                )
                for row, (f, b) in zip(rows, pairs, strict=True)
            ],
        )
        for rows in (alone, together)
    ]
    widths = [one.same.high - one.same.low for one in found]
    assert [one.same.estimate for one in found] == [pytest.approx(0.8)] * 2
    assert widths[1] > 1.3 * widths[0]


def test_the_sentence_states_rows_share_and_ends() -> None:
    same = [judged(n, "A", "A") for n in range(1, 41)]
    assert asked_again(retest(same, same)) == (
        "shown 40 rows a second time in the same orders, the judge gives the same verdict on "
        "100.0% of them (94.0% to 100.0%); 0 rows end otherwise"
    )
