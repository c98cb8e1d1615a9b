"""The win rate corrected by a small labelled sample: prediction-powered inference.

The judge scores every row, people labelled some. Where both are known, the mean of label minus
lambda times score measures what the judge gets wrong; added to lambda times the judge's mean over
the unlabelled rows it estimates what people would say of all rows (Angelopoulos et al. 2023,
Science 382; lambda as in PPI++, arXiv 2311.01453). Assumes that the labelled rows are a random
sample. Half an observation at either end of the labels, beside the middle of the scores, and
Student's t keep the level when labels are few.
"""

import math
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.records import Unscored
from nova_judge.statistics.agreement import LabelledCounts
from nova_judge.statistics.arrays import Floats
from nova_judge.statistics.outcomes import Outcome, ProfileCounts
from nova_judge.statistics.student import student_quantile

MIN_LABELLED = 20
PPI = "prediction-powered inference (PPI++), Student's t"

_LABEL_SCORES = np.array([0.0, 0.5, 1.0])
_SCORES = np.arange(5) / 4
_LABEL_ROW = {Outcome.A: 0, Outcome.TIE: 1, Outcome.B: 2}


class CorrectedWinRate(msgspec.Struct, frozen=True):
    """The win rate of B as the labels would have it; `weight` is the trust in the judge, 0 to 1."""

    estimate: float
    low: float
    high: float
    level: float
    method: str
    labelled: int
    unlabelled: int
    weight: float


class _Moments(NamedTuple):
    mean: float
    variance: float
    observations: float


def corrected_win_rate(
    labelled: LabelledCounts, all_rows: ProfileCounts, level: float = 0.95
) -> CorrectedWinRate | Unscored:
    """The corrected win rate, from the profile counts of labelled rows and of all rows."""
    table = np.zeros((3, 5))
    for label, profiles in labelled.items():
        table[_LABEL_ROW[label]] += profiles.quarters
    unlabelled = np.array(all_rows.quarters) - table.sum(axis=0)
    rows, others = int(table.sum()), int(unlabelled.sum())
    if rows < MIN_LABELLED:
        return Unscored(f"{rows} judged rows have a label, {MIN_LABELLED} are needed")
    if not others:
        return Unscored("every judged row has a label: read the labels themselves")
    turned = bool(_LABEL_SCORES @ table.sum(axis=1) > rows / 2)
    if turned:
        table, unlabelled = table[::-1, ::-1].copy(), unlabelled[::-1].copy()
    weight = _trust(table, unlabelled)
    errors, judged = _label_errors(table, weight), _moments(unlabelled, _SCORES)
    estimate = errors.mean + weight * judged.mean
    variance = errors.variance / errors.observations
    variance += weight**2 * judged.variance / judged.observations
    reach = student_quantile(level, rows - 1) * math.sqrt(variance)
    low, estimate, high = (_clipped(end) for end in (estimate - reach, estimate, estimate + reach))
    if turned:
        estimate, low, high = 1.0 - estimate, 1.0 - high, 1.0 - low
    return CorrectedWinRate(estimate, low, high, level, PPI, rows, others, weight)


def _clipped(share: float) -> float:
    """A corrected mean may leave [0, 1]; clipping all three alike keeps the estimate within."""
    return min(1.0, max(0.0, share))


def _with_ends(table: Floats) -> Floats:
    ended = table.copy()
    ended[0, 2] += 0.5
    ended[-1, 2] += 0.5
    return ended


def _trust(table: Floats, unlabelled: Floats) -> float:
    """The weight of least variance: covariance over variance, less with few unlabelled rows."""
    ended = _with_ends(table)
    total = ended.sum()
    labels, scores = ended.sum(axis=1) / total, ended.sum(axis=0) / total
    covariance = _LABEL_SCORES @ (ended / total) @ _SCORES
    covariance -= (_LABEL_SCORES @ labels) * (_SCORES @ scores)
    pooled = _moments(table.sum(axis=0) + unlabelled, _SCORES)
    if pooled.variance <= 0:
        return 0.0
    best = covariance / (pooled.variance * (1.0 + table.sum() / unlabelled.sum()))
    return float(min(1.0, max(0.0, best)))


def _label_errors(table: Floats, weight: float) -> _Moments:
    errors = _LABEL_SCORES[:, None] - weight * _SCORES[None, :]
    return _moments(_with_ends(table).ravel(), errors.ravel())


def _moments(counts: Floats, values: npt.NDArray[np.float64]) -> _Moments:
    total = float(counts.sum())
    mean = float(counts @ values) / total
    spread = float(counts @ (values - mean) ** 2)
    return _Moments(mean, spread / (total - 1.0) if total > 1 else 0.0, total)
