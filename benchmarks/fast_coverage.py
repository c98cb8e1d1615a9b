"""The chances of verdicts, and a fast way to see whether an interval holds the truth."""

import itertools

import numpy as np
import numpy.typing as npt

from nova_judge.statistics.arrays import Floats, Ints
from nova_judge.statistics.dirichlet_mean import _NODE_WEIGHTS, _NODES
from nova_judge.statistics.outcomes import Outcome, ProfileCounts
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    score_interval,
)

_ORDER = (Outcome.A, Outcome.TIE, Outcome.B)


def joint(share: float, ties: float, correlation: float) -> Floats:
    """Probabilities of forward (rows) and backward (columns): A, tie, B."""
    one = np.array([(1 - ties) * (1 - share), ties, (1 - ties) * share])
    return (1 - correlation) * np.outer(one, one) + correlation * np.diag(one)


def quarters(table: Floats) -> Floats:
    """Probabilities of the five scores 0, 1/4, .. 1."""
    return np.array([np.trace(table[:, ::-1], offset=2 - k) for k in range(5)])


def profiles_of(table: Ints) -> ProfileCounts:
    """The rows of a table like that of `joint` as counts."""
    counts = np.zeros((4, 4), dtype=np.int64)
    for i, forward in enumerate(_ORDER):
        for j, backward in enumerate(_ORDER):
            counts[forward, backward] = table[i, j]
    return ProfileCounts(tuple(counts.ravel().tolist()))


def holds(counts: Ints, truth: float) -> npt.NDArray[np.bool_]:
    """Whether the Dirichlet interval of each row of counts holds the truth, all at once.

    The truth lies inside exactly when P(mean <= truth) lies between both tails.
    """
    weights = counts.astype(np.float64)
    weights[:, 0] += 0.5
    weights[:, -1] += 0.5
    values = np.arange(counts.shape[1]) / (counts.shape[1] - 1)
    offsets = values - truth
    scaled = (offsets / np.sqrt((weights.mean(axis=0) * offsets**2).sum()))[:, None] * _NODES
    phase, modulus = weights @ np.arctan(scaled), 0.5 * (weights @ np.log1p(scaled**2))
    below = 0.5 - (np.sin(phase) * np.exp(-modulus)) @ _NODE_WEIGHTS / np.pi
    means = counts @ values / counts.sum(axis=1)
    return ((below >= 0.025) | (means <= truth)) & ((below <= 0.975) | (means >= truth))


def check_fast_path(counts: Ints, truth: float, fast: npt.NDArray[np.bool_]) -> None:
    """The fast path must say what the product says."""
    for row, said in itertools.islice(zip(counts, fast, strict=True), 20):
        found = score_interval(ScoreCounts(tuple(row.tolist())))
        assert isinstance(found, Interval)
        assert said == (found.low <= truth <= found.high), (row, truth, found)
