"""The figures of a judge job, each against its own rows and counts."""

import enum
import math
from collections.abc import Iterator
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

from nova_judge.records import JobMetrics, Judgment, Rubric
from nova_judge.rubric.evidence import REPORTED_TOLERANCE, differs_from_report
from nova_judge.rubric.weighted_scores import recomputed_scores
from nova_judge.statistics.binomial import sign_test
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.win_rate import Interval, wilson

_COUNTS = ("a_scores", "b_scores", "ties", "inference_error")
_MEANS = {
    "weighted_score_A": 0,
    "weighted_score_B": 1,
    "score_margin": 2,
    "average_weighted_score_a": 0,
    "average_weighted_score_b": 1,
    "average_margin": 2,
}
_RATE_TOLERANCE = 0.005
_INTERVAL_TOLERANCE = 0.02  # of both ends together: two bootstraps differ by their draws
_RESAMPLES = 20_000
_LEVEL = 0.95
_EXACT = 1e-9


class Kind(enum.StrEnum):
    """What is wrong with a stated figure."""

    DIFFERS = "differs"
    UNSUPPORTED = "unsupported"


class Finding(NamedTuple):
    """One figure that does not hold: where it stands, what it says, and what the rows give."""

    kind: Kind
    where: str
    stated: str
    recomputed: str


def row_findings(index: int, judgment: Judgment) -> Iterator[Finding | None]:
    """What the container reported of one row against its criteria; None for a figure that holds."""
    rubric, scores = judgment.rubric, recomputed_scores(judgment)
    if not isinstance(rubric, Rubric) or scores is None:
        return
    reported = (rubric.reported_score_A, rubric.reported_score_B, rubric.reported_margin)
    differs = differs_from_report(judgment)
    for name, said, ours in zip(list(_MEANS)[:3], reported, scores, strict=True):
        if said is not None:
            holds = not differs or abs(said - ours) <= REPORTED_TOLERANCE
            yield (
                None
                if holds
                else Finding(Kind.DIFFERS, f"row {index}: {name}", f"{said:.3f}", f"{ours:.3f}")
            )


def job_findings(
    job: JobMetrics, rows: list[Judgment], profiles: ProfileCounts | None
) -> Iterator[Finding | None]:
    """The job's counts, win rate with interval, means and standard errors."""
    yield from _count_findings(job, profiles)
    yield from _rate_findings(job)
    yield from _mean_findings(job, rows)


def _count_findings(job: JobMetrics, profiles: ProfileCounts | None) -> Iterator[Finding | None]:
    if profiles is None:
        return
    sums = [sum(pair) for pair in zip(profiles.forward, profiles.backward, strict=True)]
    for name, ours in zip(_COUNTS, sums, strict=True):
        said = _number(job, name)
        if said is not None:
            yield differing(f"job: {name}", said, ours, _EXACT)


def _decisive(job: JobMetrics) -> Interval | None:
    """B's share of the job's own decisive judgments with Wilson's interval; None without any."""
    a, b = _number(job, "a_scores"), _number(job, "b_scores")
    if a is None or b is None or not (a.is_integer() and b.is_integer()):
        return None
    share = wilson(int(b), int(a + b), _LEVEL)
    return share if isinstance(share, Interval) else None


def _rate_findings(job: JobMetrics) -> Iterator[Finding | None]:
    """The win rate and its interval against the job's own counts."""
    ours = _decisive(job)
    if ours is None:
        return
    rate, low, high = (_number(job, name) for name in ("winrate", "lower_rate", "upper_rate"))
    if rate is not None:
        yield differing("job: winrate", rate, ours.estimate, _RATE_TOLERANCE)
    if low is not None and high is not None:
        yield _interval_finding(job, low, high, ours)
    said = _number(job, "error_rate")
    counts = [_number(job, name) for name in _COUNTS]
    if said is not None and None not in counts:
        total = math.fsum(count for count in counts if count is not None)
        yield differing("job: error_rate", said, (counts[3] or 0) / total, _RATE_TOLERANCE)


def _interval_finding(job: JobMetrics, low: float, high: float, ours: Interval) -> Finding | None:
    """Whether any usual 95 % interval of these judgments, taken as independent, is the stated one.

    A percentile bootstrap, over the decisive judgments or over all of them with resamples that one
    candidate sweeps left out, is what the container documents.
    """
    a, b = int(job["a_scores"]), int(job["b_scores"])
    others = int(sum(_number(job, name) or 0 for name in _COUNTS[2:]))
    usual = [ours[1:3], *(_bootstrap(a, b, rest) for rest in (0, others))]
    near = [abs(low - one[0]) + abs(high - one[1]) <= _INTERVAL_TOLERANCE for one in usual]
    if any(near):
        return None
    (wilson_low, wilson_high), (boot_low, boot_high), *_ = usual
    return Finding(
        Kind.DIFFERS,
        "job: lower_rate, upper_rate",
        f"{low:.3f} to {high:.3f}",
        f"no usual 95 % interval: Wilson {wilson_low:.3f} to {wilson_high:.3f}, "
        f"percentile bootstrap {boot_low:.3f} to {boot_high:.3f}",
    )


def _bootstrap(a: int, b: int, others: int) -> tuple[float, float]:
    total = a + b + others
    draws = np.random.default_rng(0).multinomial(
        total, [a / total, b / total, others / total], size=_RESAMPLES
    )
    kept = draws[(draws[:, 0] > 0) & (draws[:, 1] > 0)]
    if not len(kept):
        return b / (a + b), b / (a + b)
    low, high = np.percentile(kept[:, 1] / (kept[:, 0] + kept[:, 1]), [2.5, 97.5])
    return float(low), float(high)


def significance(job: JobMetrics) -> Iterator[Finding | None]:
    """A win rate that invites to see a winner where there may be none."""
    ours = _decisive(job)
    if ours is None:
        return
    a, b = int(job["a_scores"]), int(job["b_scores"])
    p_value = sign_test(b, a)
    if p_value < 1 - _LEVEL or a == b:
        yield None
        return
    yield Finding(
        Kind.UNSUPPORTED,
        f"job: that {'B' if b > a else 'A'} is ahead",
        f"{b} wins of B in {a + b} decisive judgments",
        f"not significant: exact sign test p = {p_value:.3f}, and the interval "
        f"{ours.low:.3f} to {ours.high:.3f} contains 0.5",
    )


def _mean_findings(job: JobMetrics, rows: list[Judgment]) -> Iterator[Finding | None]:
    scores = [score for row in rows if (score := recomputed_scores(row)) is not None]
    for name, place in _MEANS.items() if scores else ():
        values = [score[place] for score in scores]
        said, error = _number(job, name), _number(job, f"{name}_stderr")
        if said is not None:
            yield differing(f"job: {name}", said, fmean(values), REPORTED_TOLERANCE)
        if error is not None and len(values) > 1:
            ours = stdev(values) / math.sqrt(len(values))
            yield differing(f"job: {name}_stderr", error, ours, REPORTED_TOLERANCE)
    for a, b, margin in (list(_MEANS)[:3], list(_MEANS)[3:]):
        of_a, of_b, said = (_number(job, name) for name in (a, b, margin))
        if of_a is not None and of_b is not None and said is not None:
            yield differing(f"job: {margin} = A - B", said, of_a - of_b, 3 * REPORTED_TOLERANCE)


def differing(where: str, said: float, ours: float, tolerance: float) -> Finding | None:
    """A finding where two numbers are further apart than `tolerance`."""
    if abs(said - ours) <= tolerance:
        return None
    return Finding(Kind.DIFFERS, where, f"{said:.6g}", f"{ours:.6g}")


def _number(job: JobMetrics, name: str) -> float | None:
    value = job.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
