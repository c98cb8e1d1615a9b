"""Test and retest: rows that the judge is shown a second time, in the same order as the first."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import JudgedRow
from nova_judge.statistics.clusters import cluster_counts
from nova_judge.statistics.contest import Contest, win_rate_of
from nova_judge.statistics.outcomes import Outcome, Profile, profile_of, reconcile
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval, ScoreCounts
from nova_judge.text import count_of


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
