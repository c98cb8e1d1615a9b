"""Control rows, judged to see whether the judge is sound.

`padded` shows an answer and the same answer said twice. A judge that prefers the padded side more
often than chance would says nothing about two models either: its verdict is blocked. `same_answer`
shows one answer on both sides, the same bytes, so that no judge can prefer a side of it: what it
names there, and how often its two orders contradict each other, is its noise. `repeat` shows rows
of the run a second time, as they were (see `retest`).
"""

import bisect
import enum
import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import InputRow, JudgedRow
from nova_judge.statistics.clusters import cluster_counts
from nova_judge.statistics.contest import Contest, contest_of, p_value_of, win_rate_of
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import Outcome, Profile, profile_of, reconcile
from nova_judge.statistics.positions import Positions, positions_of
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval, ScoreCounts
from nova_judge.text import count_of

CONTROL_ROWS = 100
"""Rows that a control judges, where the input has as many."""
_PADDING = "\n\nTo say the same once more:\n\n"


class Control(enum.StrEnum):
    """The controls that a recipe may ask for."""

    SAME_ANSWER = "same_answer"
    PADDED = "padded"
    REPEAT = "repeat"


class ControlFinding(msgspec.Struct, frozen=True):
    """Result of one control of the judge. `blocks` is the reason that blocks the verdict, or None.

    a, b: rows that both orders decide for that side; in `padded`, B is the padded answer. named,
    flips: shares of the rows with both verdicts on which a side is named throughout, and on which
    each order names another one; None without such rows.
    """

    control: Control
    rows: int
    a: int
    b: int
    p_value: float
    blocks: str | None
    note: str | None
    named: float | None = None
    flips: float | None = None


class DrawnRows:
    """Keeps, while rows stream by, the `count` that controls are made of."""

    def __init__(self, count: int = CONTROL_ROWS, seed: int = 0) -> None:
        self._count, self._seed = count, seed
        self._kept: list[tuple[str, int, InputRow]] = []

    def add(self, row: InputRow) -> None:
        """The next row; rows without both answers are passed over."""
        if not (row.response_A and row.response_B):
            return
        drawn = (_draw(row.id, self._seed), row.line, row)
        if len(self._kept) < self._count or drawn[:2] < self._kept[-1][:2]:
            bisect.insort(self._kept, drawn, key=lambda kept: kept[:2])
            del self._kept[self._count :]

    def rows(self) -> list[InputRow]:
        """The rows drawn, in the order of their lines."""
        return sorted((row for *_, row in self._kept), key=lambda row: row.line)


def control_rows(
    rows: Iterable[InputRow], control: Control, count: int, seed: int = 0
) -> list[InputRow]:
    """`count` control rows made from the rows' own answers, taken from A and B by turns.

    Which rows are taken depends on their ids and the seed, not on their order. Line numbers stay,
    ids become `control:<control>:<id>`, labels and references are dropped. `repeat` keeps both
    answers. Rows without both
    answers are passed over.
    """
    drawn = DrawnRows(count, seed)
    for row in rows:
        drawn.add(row)
    return [_control_row(row, control, index) for index, row in enumerate(drawn.rows())]


def judge_control(control: Control, evidence: Evidence, *, level: float = 0.95) -> ControlFinding:
    """Judge the control by the verdicts on its rows; where prompts repeat, by prompts."""
    profiles = evidence.profiles
    tally = profiles.reconciled
    p_value = p_value_of(contest_of(evidence))
    padded = control is Control.PADDED and tally.b > tally.a and p_value < 1.0 - level
    whole = profiles.in_both_orders
    flipped = profiles.of(Outcome.A, Outcome.B) + profiles.of(Outcome.B, Outcome.A)
    return ControlFinding(
        control=control,
        rows=profiles.rows,
        a=tally.a,
        b=tally.b,
        p_value=p_value,
        blocks=_blocks(tally.a, tally.b, p_value) if padded else None,
        note=_position_note(positions_of(evidence), level),
        named=(tally.a + tally.b) / whole if whole else None,
        flips=flipped / whole if whole else None,
    )


def noise_floor(findings: Iterable[ControlFinding], flips: float | None) -> str | None:
    """Compare the verdicts on one answer shown twice with the flips on the run's own rows."""
    for finding in findings:
        if finding.control is Control.SAME_ANSWER and finding.named is not None:
            own = (
                ""
                if flips is None
                else f"; on the run's own rows its orders contradict on {flips:.1%}"
            )
            return (
                f"the judge's noise: of pairs of one and the same answer it names a winner in both "
                f"orders on {finding.named:.1%}, and its orders contradict each other on "
                f"{finding.flips or 0:.1%}{own}"
            )
    return None


def blocked_by(findings: Iterable[ControlFinding]) -> tuple[str, ...]:
    """The reasons for `StatisticsSettings.blocked_by`."""
    return tuple(finding.blocks for finding in findings if finding.blocks is not None)


def _draw(row_id: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}\n{row_id}".encode(errors="replace")).hexdigest()


def _control_row(row: InputRow, control: Control, index: int) -> InputRow:
    answer = (row.response_A if index % 2 == 0 else row.response_B) or ""
    other = answer if control is Control.SAME_ANSWER else f"{answer}{_PADDING}{answer}"
    if control is Control.REPEAT:
        answer, other = row.response_A or "", row.response_B or ""
    return msgspec.structs.replace(
        row,
        id=f"control:{control}:{row.id}",
        response_A=answer,
        response_B=other,
        label=None,
        reference=None,
    )


def _blocks(plain: int, padded: int, p_value: float) -> str:
    return (
        f"the judge prefers a padded answer to the plain one on {padded} of "
        f"{count_of(plain + padded, 'row')} (exact sign test p = {p_value:.2g})"
    )


def _position_note(leaning: Positions, level: float) -> str | None:
    """Leaning to a position is not a preference between candidates: both orders cancel it."""
    if leaning.p_value is None or leaning.p_value >= 1.0 - level:
        return None
    first = leaning.leaning_first > leaning.leaning_second
    return (
        f"the judge leans to the {'first' if first else 'second'} position "
        f"({count_of(leaning.leaning_first, 'row')} to {leaning.leaning_second}); judging both "
        "orders cancels it"
    )


class Retest(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of a judge with itself.

    rows: judged twice with a verdict in some order both times. same: the share of verdicts that are
    the same the second time, of one order with the same order, the mean over rows. changed: rows
    that end otherwise the second time (another side, a tie, orders that differ).
    """

    rows: int
    same: Interval
    changed: int


class FirstJudged(NamedTuple):
    """A row's judgment the first time, and the key of its prompt."""

    key: int
    profile: Profile


def retest(
    first: Mapping[int, FirstJudged], again: Iterable[JudgedRow], level: float = 0.95
) -> Retest | None:
    """The agreement of second judgments with the first ones, by line; None without any.

    Rows that were not judged the first time take no part.
    """
    twice = [
        (first[judged.row.line], profile_of(judged.judgment))
        for judged in again
        if judged.row.line in first
    ]
    halves = [(key, _same(one, other), one, other) for (key, one), other in twice]
    compared = [(key, same, one, other) for key, same, one, other in halves if same is not None]
    if not compared:
        return None
    shares = np.array([same for _, same, _, _ in compared])
    keys = np.array([key for key, _, _, _ in compared], dtype=np.uint64)
    counts = ScoreCounts(tuple(int((2 * shares == step).sum()) for step in range(3)))
    clusters = cluster_counts(keys, shares, np.zeros(len(shares), dtype=np.int64))
    contest = Contest(0, 0, len(shares), counts, clusters=clusters)
    interval = win_rate_of(contest, StatisticsSettings(level=level))
    assert isinstance(interval, Interval)  # noqa: S101 (there are rows)
    changed = sum(reconcile(one) != reconcile(other) for _, _, one, other in compared)
    return Retest(rows=len(shares), same=interval, changed=changed)


def asked_again(retest: Retest) -> str:
    """State how far the judge agrees with itself."""
    same = retest.same
    return (
        f"shown {count_of(retest.rows, 'row')} a second time in the same orders, the judge gives "
        f"the same verdict on {same.estimate:.1%} of them ({same.low:.1%} to {same.high:.1%}); "
        f"{count_of(retest.changed, 'row ends', 'rows end')} otherwise"
    )


def _same(one: Profile, other: Profile) -> float | None:
    """The share of the orders with the same verdict both times, of those that have one."""
    given = [pair for pair in zip(one, other, strict=True) if Outcome.ERROR not in pair]
    if not given:
        return None
    return sum(first is second for first, second in given) / len(given)
