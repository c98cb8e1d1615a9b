"""Rows of one prompt are one cluster: what is drawn at random is the prompt, not the row.

The mean score stays the mean over rows. Its interval gives the Dirichlet weights to the clusters
(Rubin 1981; half a cluster of mean size at 0 and at 1), at the level at which a normal interval is
as wide as Student's with one degree of freedom less than there are clusters. The test flips the
signs of the clusters' sums. With one row per cluster both are what they are for rows.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Flags, Floats, Ints, Keys, RowIndices
from nova_judge.statistics.dirichlet_mean import MOST_SUMS, Bounds, quantile, sums_and_prompts
from nova_judge.statistics.distributions import flip_test_of_counts, normal_level
from nova_judge.statistics.win_rate import Interval, wilson

__all__ = ["cluster_counts", "repeats", "share_interval"]

METHOD = "Dirichlet weights over prompts, several rows per prompt, half a prompt at either end"
ONE_SIDED = "Dirichlet weights over prompts, one prompt at the end of each one-sided bound"
_END = 0.5
_AT_ONCE = 1_000_000
_KEPT = 8  # intervals of which several findings of one contest are made


class Cluster(NamedTuple):
    """Figures shared by prompts that look alike, and the number of these prompts.

    rows: with a score. wins: the sum of their scores of B. squares: the sum of the squared scores.
    lead: rows decided for B less rows decided for A, decided: both together.
    """

    rows: int
    wins: float
    squares: float
    lead: int
    decided: int
    prompts: int


class ClusterCounts(msgspec.Struct, frozen=True):
    """All prompts of a comparison that have rows with a score, those alike counted together."""

    clusters: tuple[Cluster, ...]

    @property
    def prompts(self) -> int:
        return sum(cluster.prompts for cluster in self.clusters)

    @property
    def rows(self) -> int:
        return sum(cluster.rows * cluster.prompts for cluster in self.clusters)

    @property
    def wins(self) -> float:
        """The sum of the scores of B."""
        return math.fsum(cluster.wins * cluster.prompts for cluster in self.clusters)

    def mirrored(self) -> "ClusterCounts":
        """The same prompts with A and B exchanged."""
        turned = (
            c._replace(wins=c.rows - c.wins, squares=c.rows - 2 * c.wins + c.squares, lead=-c.lead)
            for c in self.clusters
        )
        return ClusterCounts(tuple(sorted(turned)))

    def of_decided(self) -> "ClusterCounts":
        """The same prompts with their decided rows alone."""
        kept = (
            Cluster(c.decided, wins, wins, c.lead, c.decided, c.prompts)
            for c in self.clusters
            if c.decided
            for wins in ((c.decided + c.lead) / 2,)
        )
        return ClusterCounts(tuple(kept))


class Repeats(msgspec.Struct, frozen=True):
    """Repetition of prompts, and its effect on the win rate's precision.

    prompts: with a scored row. repeated: of them, those with several. between, within: standard
    deviations of the score between prompts and between rows of one prompt. worth: so many rows of
    different prompts would give the win rate the same standard error.
    """

    prompts: int
    rows: int
    repeated: int
    most_rows: int
    between: float
    within: float
    worth: float


def cluster_counts(keys: Keys, scores: Floats, leads: Ints) -> ClusterCounts | None:
    """The clusters of rows with a score (not NaN); None where no prompt repeats among them.

    A key of 0 is a row of its own.

    >>> keys, scores = np.array([7, 7, 8], np.uint64), np.array([1.0, 0.5, 0.0])
    >>> cluster_counts(keys, scores, np.array([1, 0, -1])).clusters[0]
    Cluster(rows=1, wins=0.0, squares=0.0, lead=-1, decided=1, prompts=1)
    """
    scored = ~np.isnan(scores)
    scores, leads = scores[scored], leads[scored]
    place = places_of(keys[scored])
    rows = np.bincount(place)
    if not len(rows) or rows.max() == 1:
        return None
    parts = (scores, scores**2, leads.astype(np.float64), np.abs(leads).astype(np.float64))
    summed = [np.bincount(place, part) for part in parts]
    kinds, prompts = _kinds([rows, *summed])
    return ClusterCounts(
        tuple(
            Cluster(int(n), wins, squares, int(lead), int(decided), count)
            for (n, wins, squares, lead, decided), count in zip(
                kinds.tolist(), prompts.tolist(), strict=True
            )
        )
    )


def _kinds(columns: Sequence[Floats | Ints]) -> tuple[Floats, Ints]:
    """The different rows of a table, in order, and how often each is there; some at a time."""
    found = []
    for start in range(0, len(columns[0]), _AT_ONCE):
        part = np.stack([column[start : start + _AT_ONCE] for column in columns], axis=1).round(9)
        found.append(np.unique(part, axis=0, return_counts=True))
    parts, counts = (np.concatenate(those) for those in zip(*found, strict=True))
    kinds, place = np.unique(parts, axis=0, return_inverse=True)
    return kinds, np.bincount(place, counts).astype(np.int64)


def places_of(keys: Keys) -> RowIndices:
    """The number, from 0 on, of each row's cluster; a key of 0 is a row of its own."""
    alone = keys == 0
    places: RowIndices = np.unique(keys, return_inverse=True)[1]
    if not alone.any():
        return places
    places = np.where(alone, len(keys) + np.cumsum(alone), places)
    numbered: RowIndices = np.unique(places, return_inverse=True)[1]
    return numbered


def sums_by_prompt(values: Floats, keys: Keys | None) -> tuple[Floats, Floats]:
    """The sum of the values of each prompt and its rows, in whatever order the rows come.

    Without keys, and where none repeats, each row is a prompt; a key of 0 is a row of its own.
    """
    if keys is None:
        return values, np.ones(len(values))
    places = places_of(keys)
    order = np.lexsort((values, places))
    first = np.flatnonzero(np.diff(places[order], prepend=-1))
    sums: Floats = np.add.reduceat(values[order], first)
    return sums, np.bincount(places).astype(np.float64)


def repeated(keys: Keys | None) -> bool:
    """True where several rows have one prompt."""
    return keys is not None and len(keys) > 0 and places_of(keys).max() + 1 < len(keys)


def worth_of(by_prompt: Ints, influence: Floats) -> float:
    """The rows of different prompts that would give an estimate the same standard error.

    by_prompt: counts of rows (prompts x cells); influence (cells): of one row on the estimate,
    less its mean. At most the rows there are: Kish's design effect, from the data.
    """
    prompts, rows = len(by_prompt), int(by_prompt.sum())
    if prompts in (rows, 1):
        return float(prompts)
    of_rows = float(by_prompt.sum(axis=0) @ influence**2)
    of_prompts = float(((by_prompt @ influence) ** 2).sum()) * prompts / max(1, prompts - 1)
    if of_rows == 0.0:
        return rows**2 / float((by_prompt.sum(axis=1) ** 2).sum())
    return rows / max(1.0, of_prompts / of_rows)


def share_interval(hits: Flags, keys: Keys, level: float) -> Interval | Unscored:
    """The share of hits with Wilson's interval, or that of clusters where a key repeats.

    >>> found = share_interval(np.array([True] * 7 + [False] * 3), np.zeros(10, np.uint64), 0.95)
    >>> found.estimate, found.method
    (0.7, 'Wilson')
    """
    counts = cluster_counts(keys, hits.astype(np.float64), np.zeros(len(hits), dtype=np.int64))
    if counts is None:
        return wilson(int(hits.sum()), len(hits), level)
    bounds, share = cluster_bounds(counts, level), int(hits.sum()) / len(hits)
    return Interval(share, min(bounds.low, share), max(bounds.high, share), level, METHOD)


@functools.lru_cache(maxsize=_KEPT)
def cluster_bounds(counts: ClusterCounts, level: float) -> Bounds:
    """The ends of the interval of the mean score over rows."""
    rows, wins = counts.rows, counts.wins
    if 2.0 * wins > rows or (2.0 * wins == rows and counts.clusters > counts.mirrored().clusters):
        of_a = cluster_bounds_of_lesser(counts.mirrored(), level)
        return Bounds(1.0 - of_a.high, 1.0 - of_a.low)
    return cluster_bounds_of_lesser(counts, level)


def cluster_bounds_of_lesser(counts: ClusterCounts, level: float) -> Bounds:
    """The ends for the side with at most half of the score, from which the other's are turned."""
    if counts.prompts < 2:
        return Bounds(0.0, 1.0)
    tail = (1.0 - normal_level(level, counts.prompts - 1)) / 2.0
    wins, sizes, weights = _ended(counts, _END, _END)
    low = 0.0 if counts.wins == 0 else quantile(tail, wins, weights, sizes)
    return Bounds(low, quantile(1.0 - tail, wins, weights, sizes))


@functools.lru_cache(maxsize=_KEPT)
def cluster_upper_bound(counts: ClusterCounts, level: float) -> float:
    """A one-sided upper bound of the mean score, with a whole cluster at 1 and none at 0."""
    if counts.prompts < 2:
        return 1.0
    two_sided = normal_level(2.0 * level - 1.0, counts.prompts - 1)
    wins, sizes, weights = _ended(counts, 0.0, 2.0 * _END)
    if np.allclose(wins, sizes):
        return 1.0
    return quantile((1.0 + two_sided) / 2.0, wins, weights, sizes)


def cluster_p_value(counts: ClusterCounts) -> float:
    """The sign-flip test on the prompts' leads: rows decided for B less rows decided for A."""
    leads = np.array([cluster.lead for cluster in counts.clusters], dtype=np.int64)
    prompts = np.array([cluster.prompts for cluster in counts.clusters])
    return flip_test_of_counts(np.repeat(leads, prompts))


def leading_prompts(counts: ClusterCounts) -> tuple[int, int]:
    """The prompts whose rows are decided for A on balance, and those for B."""
    of_a = sum(cluster.prompts for cluster in counts.clusters if cluster.lead < 0)
    return of_a, sum(cluster.prompts for cluster in counts.clusters if cluster.lead > 0)


def standard_error_of_clusters(counts: ClusterCounts) -> float | None:
    """The standard error of the mean over rows, clustered by prompt; None below two prompts."""
    prompts, rows = counts.prompts, counts.rows
    if prompts < 2:
        return None
    mean = counts.wins / rows
    squares = math.fsum((c.wins - mean * c.rows) ** 2 * c.prompts for c in counts.clusters)
    return math.sqrt(squares * prompts / (prompts - 1.0)) / rows


def repeats(counts: ClusterCounts) -> Repeats:
    """Prompts and rows, and the parts of the variance (one-way analysis of variance).

    >>> keys, scores = np.array([7, 7, 8], np.uint64), np.array([1.0, 0.5, 0.0])
    >>> found = repeats(cluster_counts(keys, scores, np.array([1, 0, -1])))
    >>> found.prompts, found.rows, found.most_rows
    (2, 3, 2)
    """
    prompts, rows, wins = counts.prompts, counts.rows, counts.wins
    total = math.fsum(c.squares * c.prompts for c in counts.clusters)
    of_means = math.fsum(c.wins**2 / c.rows * c.prompts for c in counts.clusters)
    within = max(0.0, total - of_means) / (rows - prompts) if rows > prompts else 0.0
    between = 0.0
    if prompts > 1:
        mean_square = (of_means - wins**2 / rows) / (prompts - 1)
        largest = sum(c.rows**2 * c.prompts for c in counts.clusters) / rows
        size = (rows - largest) / (prompts - 1)
        between = max(0.0, mean_square - within) / size
    error = standard_error_of_clusters(counts)
    mean = wins / rows
    variance = max(0.0, total / rows - mean * mean) * rows / max(1, rows - 1)
    return Repeats(
        prompts=prompts,
        rows=rows,
        repeated=sum(c.prompts for c in counts.clusters if c.rows > 1),
        most_rows=max(c.rows for c in counts.clusters),
        between=math.sqrt(between),
        within=math.sqrt(within),
        worth=min(float(rows), variance / error**2) if error else float(rows),
    )


def _ended(counts: ClusterCounts, low: float, high: float) -> tuple[Floats, Floats, Floats]:
    """Wins, sizes and weights, with a cluster of mean size at 0 and at 1 of these weights."""
    size = counts.rows / counts.prompts
    table = np.array([(c.wins, c.rows, c.prompts) for c in counts.clusters], dtype=np.float64)
    wins, sizes, weights = table.T
    if len(table) > MOST_SUMS:
        times = weights.astype(np.int64)
        wins, sizes, weights = sums_and_prompts(np.repeat(wins, times), np.repeat(sizes, times))
    ends = [(end, size, weight) for end, weight in ((0.0, low), (size, high)) if weight > 0]
    of_ends = np.array(ends, dtype=np.float64).reshape(-1, 3).T
    wins, sizes, weights = map(np.append, (wins, sizes, weights), of_ends)
    return wins, sizes, weights
