"""The same comparison by category, with the error rate shared out over all of them."""

from dataclasses import replace
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import scored_or_none
from nova_judge.statistics.agreement import Agreement, agreement
from nova_judge.statistics.arrays import RowIndices
from nova_judge.statistics.contest import (
    Contest,
    contest_of,
    decision_of,
    p_value_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word, holm
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.outcomes import ReconciledTally
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval

__all__ = ["slices"]

MIN_ROWS = 20
MAX_SLICES = 200


class DecidedRows(msgspec.Struct, frozen=True):
    """Rows that name one candidate throughout, by candidate."""

    a: int
    b: int


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one category; None of the rows without one.

    `p_holm` is the test's p-value after Holm's correction (1979) over the slices that are tested;
    with it `word` decides as the verdict does, and `differs` says whether a side is named. The
    win rate's interval is not corrected. Under twenty rows there are counts only.
    """

    category: str | None
    rows: int
    judged: int
    reconciled: ReconciledTally
    decided: DecidedRows
    win_rate: Interval | None = None
    p_value: float | None = None
    p_holm: float | None = None
    word: Word | None = None
    differs: bool | None = None
    agreement: Agreement | None = None


class Slices(NamedTuple):
    """The slices by size, and how many small ones were left out beyond `MAX_SLICES`."""

    slices: tuple[Slice, ...]
    left_out: int


def slices(evidence: Evidence, settings: StatisticsSettings, basis: Basis) -> Slices:
    """Figures of every category, the largest first; none where no row has one.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import Basis, EvidenceRow, gather
    >>> rows = [EvidenceRow(Verdict.B, Verdict.B, category="maths")] * 25
    >>> found = slices(gather(rows), StatisticsSettings(), Basis.BOTH_ORDERS)
    >>> found.slices[0].category, found.slices[0].word.value
    ('maths', 'B better')
    """
    groups = _groups(evidence)
    # What is not asked of categories is not copied for each of them.
    evidence = replace(evidence, lengths=evidence.lengths[:, :0], markup=evidence.markup[:, :0])
    if all(category is None for category, _ in groups):
        return Slices((), 0)
    parts = [
        _slice(name, evidence.where(rows), settings, basis) for name, rows in groups[:MAX_SLICES]
    ]
    corrected = iter(holm([part.p_value for part in parts if part.p_value is not None]))
    stated = [
        part
        if part.p_value is None
        else _corrected(part, contest_of(evidence.where(rows), basis), next(corrected), settings)
        for part, (_, rows) in zip(parts, groups, strict=False)
    ]
    return Slices(tuple(stated), max(0, len(groups) - MAX_SLICES))


def _groups(evidence: Evidence) -> list[tuple[str | None, RowIndices]]:
    """The rows of each category, the largest first."""
    if not evidence.categories.size:
        return []  # np.split makes one part even of nothing
    number: dict[str | None, int] = {}
    codes = np.array([number.setdefault(name, len(number)) for name in evidence.categories], int)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(number)))[:-1])
    groups = [(name, part) for name, part in zip(number, parts, strict=True)]
    groups.sort(key=lambda group: (-len(group[1]), group[0] is None, group[0] or ""))
    return groups


def _slice(
    category: str | None, rows: Evidence, settings: StatisticsSettings, basis: Basis
) -> Slice:
    both_orders = basis is Basis.BOTH_ORDERS
    judged = rows if both_orders else rows.forward_alone()
    profiles, contest = judged.profiles, contest_of(rows, basis)
    counted = Slice(
        category=category,
        rows=profiles.rows,
        judged=profiles.judged,
        reconciled=profiles.reconciled,
        decided=DecidedRows(contest.a, contest.b),
    )
    if contest.scores.rows < MIN_ROWS:
        return counted
    agreed = agreement(judged, settings.level, both_orders=both_orders)
    return msgspec.structs.replace(
        counted,
        win_rate=scored_or_none(win_rate_of(contest, settings)),
        p_value=p_value_of(contest, settings),
        agreement=scored_or_none(agreed),
    )


def _corrected(
    part: Slice, contest: Contest, p_value: float, settings: StatisticsSettings
) -> Slice:
    word = decision_of(contest, settings, p_value)
    differs = word in (Word.A_BETTER, Word.B_BETTER)
    return msgspec.structs.replace(part, p_holm=p_value, word=word, differs=differs)
