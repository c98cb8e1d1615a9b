"""Speed of a judge as a stage's own runs had it, in place of the speed that is assumed."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nova_judge.text import count_of

LEAST_RUNS = 3


class JudgedBefore(NamedTuple):
    """A run that ended: rows judged, jobs, and billed seconds of all of them."""

    rows: int
    jobs: int
    seconds: float


class Throughput(NamedTuple):
    """Seconds until a job judges its first row, and for each row; out of so many runs."""

    start_s: float
    row_s: float
    runs: int

    @property
    def words(self) -> str:
        """The assumption that stands behind an estimate."""
        return (
            f"the judge of {count_of(self.runs, 'run')} of this stage: {self.start_s / 60:.1f} "
            f"minutes to start a job, {1 / self.row_s:.2f} rows a second (least squares)"
        )


def throughput_of(runs: Sequence[JudgedBefore]) -> Throughput | None:
    """Fit `seconds = jobs * start + rows * row` by least squares.

    None for fewer than three runs, and where their sizes do not tell start and rows apart: the fit
    is singular, or one of the two came out as no time at all.
    """
    if len(runs) < LEAST_RUNS:
        return None
    sizes = np.array([[run.jobs, run.rows] for run in runs], dtype=float)
    seconds = np.array([run.seconds for run in runs])
    fitted, _, rank, _ = np.linalg.lstsq(sizes, seconds, rcond=None)
    start_s, row_s = map(float, fitted)
    if rank < 2 or start_s < 0 or row_s <= 0 or not math.isfinite(start_s + row_s):
        return None
    return Throughput(start_s, row_s, len(runs))
