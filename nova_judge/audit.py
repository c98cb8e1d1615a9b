"""Every figure of a judge job and of a report, recomputed from the rows; what differs is listed.

A finding is `differs` where a stated figure is not what the rows give, and `unsupported` where a
figure invites a conclusion that the rows do not carry.
"""

import enum
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nova_judge.binomial import sign_test
from nova_judge.evidence import evidence_row, gather
from nova_judge.findings import find
from nova_judge.outcomes import ProfileCounts, count_profiles
from nova_judge.records import JobMetrics, JudgedRow, Judgment, Rubric, Unscored
from nova_judge.rubric import REPORTED_TOLERANCE, differs_from_report, rubric_metrics
from nova_judge.statistics_settings import StatisticsSettings
from nova_judge.weighted_scores import recomputed_scores
from nova_judge.win_rate import Interval, wilson

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
_SAME = 1e-9


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


class Audit(NamedTuple):
    """What was checked and what did not hold. `checked` counts figures, `rows` counts rows."""

    checked: int
    rows: int
    findings: tuple[Finding, ...]


def audit_job(
    job: JobMetrics | None, judgments: Iterable[Judgment] | None, notes: Mapping[str, int]
) -> Audit:
    """The figures of a judge job against its own details; without details, against each other.

    `notes` are those that reading the details gave.
    """
    rows = list(judgments) if judgments is not None else []
    checked = Counted()
    for reason, count in notes.items():
        checked.add(Finding(Kind.DIFFERS, f"details, {count} rows", "counts", reason))
    for index, judgment in enumerate(rows):
        checked.extend(_row_findings(index, judgment))
    profiles = count_profiles(rows) if rows else None
    if job is not None:
        checked.extend(_count_findings(job, profiles))
        checked.extend(_rate_findings(job))
        checked.extend(_mean_findings(job, rows))
    return Audit(checked.figures, len(rows), tuple(checked.findings))


def audit_report(metrics: Mapping[str, Any], rows: Iterable[JudgedRow]) -> Audit:
    """Every figure of a `metrics.json` that rests on the rows, against `judgments.parquet`."""
    kept = list(rows)
    verdict = metrics.get("verdict") or {}
    settings = StatisticsSettings(
        level=verdict.get("level", _LEVEL),
        equivalence_margin=verdict.get("equivalence_margin"),
        seed=((metrics.get("rubric") or {}).get("firmness") or {}).get("seed", 0),
        anytime=str(verdict.get("test", "")).startswith("anytime"),
        blocked_by=tuple(verdict.get("blocked_by") or ()),
    )
    ours = find(gather(evidence_row(row) for row in kept), settings)
    ours.pop("notes")
    ours["rubric"] = rubric_metrics(kept, settings)
    checked = Counted()
    for name, value in ours.items():
        if name in metrics:
            checked.extend(_compared(f"metrics.json: {name}", metrics[name], value))
    checked.extend(_row_sum(metrics, kept))
    for index, judged in enumerate(kept):
        checked.extend(_row_findings(index, judged.judgment))
    return Audit(checked.figures, len(kept), tuple(checked.findings))


class Counted:
    """Collects findings, and counts the figures that were looked at (None: a figure that holds)."""

    def __init__(self) -> None:
        self.figures = 0
        self.findings: list[Finding] = []

    def add(self, finding: Finding | None) -> None:
        """One figure looked at."""
        self.figures += 1
        if finding is not None:
            self.findings.append(finding)

    def extend(self, findings: Iterator[Finding | None]) -> None:
        """Several figures."""
        for finding in findings:
            self.add(finding)


def _row_findings(index: int, judgment: Judgment) -> Iterator[Finding | None]:
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


def _count_findings(job: JobMetrics, profiles: ProfileCounts | None) -> Iterator[Finding | None]:
    if profiles is None:
        return
    sums = [sum(pair) for pair in zip(profiles.forward, profiles.backward, strict=True)]
    for name, ours in zip(_COUNTS, sums, strict=True):
        said = _number(job, name)
        if said is not None:
            yield _differing(f"job: {name}", said, ours, _SAME)


def _rate_findings(job: JobMetrics) -> Iterator[Finding | None]:
    """The win rate against the job's own counts, its interval, and what they may be taken for."""
    a, b = _number(job, "a_scores"), _number(job, "b_scores")
    if a is None or b is None or not a + b or not (a + b).is_integer():
        return
    wins, decided = int(b), int(a + b)
    ours = wilson(wins, decided, _LEVEL)
    assert isinstance(ours, Interval)  # noqa: S101 (decided is above 0)
    rate, low, high = (_number(job, name) for name in ("winrate", "lower_rate", "upper_rate"))
    if rate is not None:
        yield _differing("job: winrate", rate, ours.estimate, _RATE_TOLERANCE)
    if low is not None and high is not None:
        yield _interval_finding(job, low, high, ours)
    yield _significance(wins, decided, ours)
    said = _number(job, "error_rate")
    counts = [_number(job, name) for name in _COUNTS]
    if said is not None and None not in counts:
        total = math.fsum(count for count in counts if count is not None)
        yield _differing("job: error_rate", said, (counts[3] or 0) / total, _RATE_TOLERANCE)


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


def _significance(wins: int, decided: int, ours: Interval) -> Finding | None:
    p_value = sign_test(wins, decided - wins)
    if p_value < 1 - _LEVEL or 2 * wins == decided:
        return None
    ahead = "B" if 2 * wins > decided else "A"
    return Finding(
        Kind.UNSUPPORTED,
        f"job: that {ahead} is ahead",
        f"{wins} wins of B in {decided} decisive judgments",
        f"not significant: exact sign test p = {p_value:.3f}, and the interval "
        f"{ours.low:.3f} to {ours.high:.3f} contains 0.5",
    )


def _mean_findings(job: JobMetrics, rows: list[Judgment]) -> Iterator[Finding | None]:
    scores = [score for row in rows if (score := recomputed_scores(row)) is not None]
    for name, place in _MEANS.items():
        said = _number(job, name)
        if said is None:
            continue
        if scores:
            mean = math.fsum(score[place] for score in scores) / len(scores)
            yield _differing(f"job: {name}", said, mean, REPORTED_TOLERANCE)
    for a, b, margin in (list(_MEANS)[:3], list(_MEANS)[3:]):
        of_a, of_b, said = (_number(job, name) for name in (a, b, margin))
        if of_a is not None and of_b is not None and said is not None:
            yield _differing(f"job: {margin} = A - B", said, of_a - of_b, 3 * REPORTED_TOLERANCE)


def _row_sum(metrics: Mapping[str, Any], rows: list[JudgedRow]) -> Iterator[Finding | None]:
    counts = metrics.get("rows") or {}
    failed = sum(
        isinstance(row.judgment.forward, Unscored) and isinstance(row.judgment.backward, Unscored)
        for row in rows
    )
    for name, ours in (("judged", len(rows) - failed), ("judge_failed", failed)):
        if isinstance(counts.get(name), int):
            yield _differing(f"metrics.json: rows.{name}", counts[name], ours, 0)
    parts = [value for name, value in counts.items() if name != "input"]
    if parts and all(isinstance(value, int) for value in counts.values()):
        yield _differing("metrics.json: rows.input", counts["input"], sum(parts), 0)


def _compared(where: str, said: object, ours: object) -> Iterator[Finding | None]:
    if isinstance(ours, Mapping) and isinstance(said, Mapping):
        for name in ours:
            yield from _compared(f"{where}.{name}", said.get(name), ours[name])
    elif isinstance(ours, list | tuple) and isinstance(said, list) and len(ours) == len(said):
        for place, (theirs, own) in enumerate(zip(said, ours, strict=True)):
            yield from _compared(f"{where}[{place}]", theirs, own)
    elif isinstance(ours, float) and isinstance(said, int | float):
        yield _differing(where, said, ours, _SAME * max(1.0, abs(ours)))
    else:
        same = said == (list(ours) if isinstance(ours, tuple) else ours)
        yield None if same else Finding(Kind.DIFFERS, where, _short(said), _short(ours))


def _differing(where: str, said: float, ours: float, tolerance: float) -> Finding | None:
    if abs(said - ours) <= tolerance:
        return None
    return Finding(Kind.DIFFERS, where, f"{said:.6g}", f"{ours:.6g}")


def _number(job: JobMetrics, name: str) -> float | None:
    value = job.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
