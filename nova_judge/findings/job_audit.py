"""Recompute what a judge job reported of its rubrics, and the conclusion its counts invite."""

import math
from collections.abc import Iterator
from statistics import fmean, stdev

from nova_judge.findings.rubric_findings import REPORTED_TOLERANCE
from nova_judge.pairs.job_findings import LEVEL, Finding, FindingKind, decisive, differing, figure
from nova_judge.pairs.weighted_scores import WeightedScores, recomputed_scores
from nova_judge.records import JobMetrics, Judgment, Rubric
from nova_judge.statistics.binomial import sign_test

_OF_ROW = ("weighted_score_A", "weighted_score_B", "score_margin")
_AVERAGES = ("average_weighted_score_a", "average_weighted_score_b", "average_margin")


def row_findings(index: int, judgment: Judgment) -> Iterator[Finding | None]:
    """Check the container's figures of one row against its criteria; None for one that holds."""
    rubric, readings = judgment.rubric, _readings(judgment)
    if not isinstance(rubric, Rubric) or readings is None:
        return
    reported = (rubric.reported_score_A, rubric.reported_score_B, rubric.reported_margin)
    for name, stated, *ours in zip(_OF_ROW, reported, *readings, strict=True):
        if stated is not None:
            holds = any(abs(stated - value) <= REPORTED_TOLERANCE for value in ours)
            where = f"row {index}: {name}"
            differs = Finding(FindingKind.DIFFERS, where, f"{stated:.3f}", f"{ours[0]:.3f}")
            yield None if holds else differs


def mean_findings(job: JobMetrics, rows: list[Judgment]) -> Iterator[Finding | None]:
    """The job's means of weighted scores with their standard errors against its rows."""
    readings = [pair for row in rows if (pair := _readings(row)) is not None]
    for names in (_OF_ROW, _AVERAGES):
        for place, name in enumerate(names) if readings else ():
            normalised, as_given = (
                [scores[place] for scores in one] for one in zip(*readings, strict=True)
            )
            yield from _mean_and_error(job, name, normalised, as_given)
        of_a, of_b, margin = (figure(job, name) for name in names)
        if of_a is not None and of_b is not None and margin is not None:
            where = f"job: {names[2]} = A - B"
            yield differing(where, margin, of_a - of_b, 3 * REPORTED_TOLERANCE)


def significance(job: JobMetrics) -> Iterator[Finding | None]:
    """A win rate that invites to see a winner where there may be none."""
    ours = decisive(job)
    if ours is None:
        return
    a, b, share = ours
    p_value = sign_test(b, a)
    if p_value < 1 - LEVEL or a == b:
        yield None
        return
    half = ", which contains 0.5" if share.low <= 0.5 <= share.high else ""
    yield Finding(
        FindingKind.UNSUPPORTED,
        f"job: that {'B' if b > a else 'A'} is ahead",
        f"{b} wins of B in {a + b} decisive judgments",
        f"not significant: exact sign test p = {p_value:.3f}, "
        f"95 % interval {share.low:.3f} to {share.high:.3f}{half}",
    )


def _readings(judgment: Judgment) -> tuple[WeightedScores, WeightedScores] | None:
    """A row's scores with its weights normalised and as they stand: the container may do either."""
    rubric, scores = judgment.rubric, recomputed_scores(judgment)
    if not isinstance(rubric, Rubric) or scores is None:
        return None
    total = sum(criterion.weight for criterion in rubric.criteria)
    return scores, WeightedScores(*(score * total for score in scores))


def _mean_and_error(
    job: JobMetrics, name: str, normalised: list[float], as_given: list[float]
) -> Iterator[Finding | None]:
    stated, error = figure(job, name), figure(job, f"{name}_stderr")
    if stated is not None:
        yield _either(f"job: {name}", stated, fmean(normalised), fmean(as_given))
    if error is not None and len(normalised) > 1:
        ours, other = (stdev(one) / math.sqrt(len(one)) for one in (normalised, as_given))
        yield _either(f"job: {name}_stderr", error, ours, other)


def _either(where: str, stated: float, ours: float, other: float) -> Finding | None:
    off = differing(where, stated, ours, REPORTED_TOLERANCE)
    return off if differing(where, stated, other, REPORTED_TOLERANCE) else None
