"""How far a judge can be trusted: its verdicts on labelled pairs, on pairs that no judge should
decide, and on pairs that it is asked again."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.pairs.controls import Control, ControlFinding, judge_control
from nova_judge.pairs.judged_evidence import evidence_row, verdicts_row
from nova_judge.records import JudgedAs, JudgedRow, Judgment, Unscored, Verdict
from nova_judge.runs.row_accounting import ReasonCount
from nova_judge.statistics.agreement import Agreement, agreement
from nova_judge.statistics.distributions import sign_test
from nova_judge.statistics.evidence import gather, markup_of
from nova_judge.statistics.outcomes import profile_of, score_quarters
from nova_judge.statistics.positions import positions
from nova_judge.statistics.win_rate import Interval, wilson

PER_ROWS = 1000
_MOST_REASONS = 5


class ErrorLean(msgspec.Struct, frozen=True):
    """Wrong verdicts that name the answer with more of something, and with less.

    A judge without a leaning errs both ways alike; `p_value` is of an exact two-sided sign test.
    """

    more: int
    less: int
    p_value: float


class CheckedJudge(msgspec.Struct, frozen=True, kw_only=True):
    """One judge on labelled pairs. Shares are fractions, None where nothing could be counted.

    `agreement`: with the labels. `first_position`: verdicts for the answer shown first, of those
    that name one; `position_p` tests it. `flips`: rows on which each order names another answer.
    `same_again`: passes that were asked again and got the same verdict. `usd`: dollars for 1,000
    rows in both orders; None where no price is known.
    """

    name: str
    prompt: str
    rows: int
    judged: int
    failures: tuple[ReasonCount, ...]
    agreement: Agreement | None
    first_position: float | None
    position_p: float | None
    flips: float | None
    length: ErrorLean
    structure: ErrorLean
    same_again: Interval | None
    same_answer: ControlFinding | None
    padded: ControlFinding | None
    input_tokens: float
    output_tokens: float
    usd: float | None


class CheckedRows(NamedTuple):
    """Judged rows of one judge: labelled ones, controls, and the same passes asked again."""

    labelled: Sequence[JudgedRow]
    controls: Sequence[tuple[Control, Sequence[JudgedRow]]]
    again: Sequence[tuple[JudgedAs, JudgedAs]]


class JudgeCost(NamedTuple):
    """Tokens that a row costs in both orders, and dollars for 1,000 rows where a price is known."""

    input_tokens: float
    output_tokens: float
    usd: float | None


def check_judge(
    name: str, prompt: str, rows: CheckedRows, cost: JudgeCost, level: float = 0.95
) -> CheckedJudge:
    """The figures of one judge."""
    evidence = gather(evidence_row(row) for row in rows.labelled)
    of_order = positions(evidence.profiles)
    with_labels = agreement(evidence, level)
    controls = {
        control: judge_control(control, gather(map(verdicts_row, judged)), level=level)
        for control, judged in rows.controls
        if judged
    }
    failures = Counter(
        passed.reason
        for row in rows.labelled
        for passed in (row.judgment.forward, row.judgment.backward)
        if isinstance(passed, Unscored)
    )
    return CheckedJudge(
        name=name,
        prompt=prompt,
        rows=len(rows.labelled),
        judged=evidence.profiles.judged,
        failures=tuple(ReasonCount(*one) for one in failures.most_common(_MOST_REASONS)),
        agreement=None if isinstance(with_labels, Unscored) else with_labels,
        first_position=of_order.first_rate,
        position_p=of_order.p_value,
        flips=of_order.flips,
        length=_lean(rows.labelled, len),
        structure=_lean(rows.labelled, _structure),
        same_again=_same(rows.again, level),
        same_answer=controls.get(Control.SAME_ANSWER),
        padded=controls.get(Control.PADDED),
        **cost._asdict(),
    )


def _lean(rows: Iterable[JudgedRow], measure: Callable[[str], int]) -> ErrorLean:
    """Wrong verdicts by what the named answer has more or less of; equal measures tell nothing."""
    more = less = 0
    for judged in rows:
        row, named = judged.row, _named(judged.judgment)
        if named is None or row.label not in (Verdict.A, Verdict.B) or named == row.label:
            continue
        other = Verdict.B if named is Verdict.A else Verdict.A
        chosen, left = (
            measure(row.response("A" if side is Verdict.A else "B") or "")
            for side in (named, other)
        )
        more += chosen > left
        less += chosen < left
    return ErrorLean(more, less, sign_test(more, less))


def _named(judgment: Judgment) -> Verdict | None:
    """The side that both orders together name; None for a tie and without a verdict."""
    quarters = score_quarters(profile_of(judgment))
    if quarters is None or quarters == 2:
        return None
    return Verdict.B if quarters > 2 else Verdict.A


def _structure(text: str) -> int:
    markup = markup_of(text)
    return sum(markup) if markup else 0


def _same(again: Iterable[tuple[JudgedAs, JudgedAs]], level: float) -> Interval | None:
    given = [
        one == other
        for one, other in again
        if isinstance(one, Verdict) and isinstance(other, Verdict)
    ]
    share = wilson(sum(given), len(given), level)
    return share if isinstance(share, Interval) else None
