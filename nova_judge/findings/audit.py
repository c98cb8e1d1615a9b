"""Every figure of a judge job and of a report, recomputed from the rows; what differs is listed.

A finding is `differs` where a stated figure is not what the rows give, and `unsupported` where a
figure invites a conclusion that the rows do not carry.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nova_judge.findings.job_audit import mean_findings, row_findings, significance
from nova_judge.findings.rubric_findings import rubric_metrics
from nova_judge.pairs.job_figures import OURS, bootstrap_beside
from nova_judge.pairs.job_findings import Finding, Kind, differing, job_findings
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.plain import plain
from nova_judge.records import JobMetrics, JudgedRow, Judgment, Unscored
from nova_judge.statistics.evidence import gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.outcomes import count_profiles
from nova_judge.statistics.settings import StatisticsSettings, settings_of

_SAME = 1e-9
_STAGES = ("judge, forward", "judge, backward", "rubric")


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
        checked.extend(row_findings(index, judgment))
    profiles = count_profiles(rows) if rows else None
    if job is not None:
        checked.extend(job_findings(job, profiles))
        checked.extend(mean_findings(job, rows))
        checked.extend(significance(job))
    return Audit(checked.figures, len(rows), tuple(checked.findings))


def audit_report(metrics: Mapping[str, Any], rows: Iterable[JudgedRow]) -> Audit:
    """Every figure of a `metrics.json` that rests on the rows, against `judgments.parquet`.

    The judge job's own figures, which it quotes, are checked in the same way.
    """
    kept = list(rows)
    settings = settings_of(metrics)
    ours = plain(find(gather(evidence_row(row) for row in kept), settings))
    ours.pop("notes")
    ours["rubric"] = rubric_metrics(kept, settings)
    checked = Counted()
    for name, value in ours.items():
        if name in metrics:
            checked.extend(_compared(f"metrics.json: {name}", metrics[name], value))
    checked.extend(_row_sum(metrics, kept))
    judgments = [row.judgment for row in kept]
    checked.extend(_error_counts(metrics, judgments))
    if metrics.get("job"):
        checked.extend(_quoted_job(metrics["job"], judgments, settings))
    for index, judged in enumerate(kept):
        checked.extend(row_findings(index, judged.judgment))
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


def _row_sum(metrics: Mapping[str, Any], rows: list[JudgedRow]) -> Iterator[Finding | None]:
    counts = metrics.get("rows") or {}
    failed = sum(
        isinstance(row.judgment.forward, Unscored) and isinstance(row.judgment.backward, Unscored)
        for row in rows
    )
    for name, ours in (("judged", len(rows) - failed), ("judge_failed", failed)):
        if isinstance(counts.get(name), int | float):
            yield differing(f"metrics.json: rows.{name}", counts[name], ours, 0)
    parts = [value for name, value in counts.items() if name != "input"]
    if parts and all(isinstance(value, int | float) for value in counts.values()):
        yield differing("metrics.json: rows.input", counts["input"], sum(parts), 0)


def _error_counts(
    metrics: Mapping[str, Any], judgments: list[Judgment]
) -> Iterator[Finding | None]:
    """The rows that judging left unscored, by stage and reason."""
    ours = Counter(
        (stage, part.reason)
        for judgment in judgments
        for stage, part in zip(
            _STAGES, (judgment.forward, judgment.backward, judgment.rubric), strict=True
        )
        if isinstance(part, Unscored)
    )
    said = {(one["stage"], one["reason"]): one["count"] for one in metrics.get("errors") or ()}
    for stage, reason in sorted({*ours, *(key for key in said if key[0] in _STAGES)}):
        told = said.get((stage, reason)) or 0
        yield differing(f"metrics.json: errors, {stage}: {reason}", told, ours[stage, reason], 0)


def _quoted_job(
    job: Mapping[str, Any], judgments: list[Judgment], settings: StatisticsSettings
) -> Iterator[Finding | None]:
    profiles = count_profiles(judgments)
    reported = {name: value for name, value in job.items() if name not in OURS}
    yield from job_findings(reported, profiles)
    yield from mean_findings(reported, judgments)
    if "bootstrap" in job:
        ours = bootstrap_beside(profiles, settings)
        yield from _compared("metrics.json: job.bootstrap", job["bootstrap"], ours)


def _compared(where: str, said: object, ours: object) -> Iterator[Finding | None]:
    if isinstance(ours, Mapping) and isinstance(said, Mapping):
        for name in ours:
            yield from _compared(f"{where}.{name}", said.get(name), ours[name])
    elif isinstance(ours, list | tuple) and isinstance(said, list) and len(ours) == len(said):
        for place, (theirs, own) in enumerate(zip(said, ours, strict=True)):
            yield from _compared(f"{where}[{place}]", theirs, own)
    elif isinstance(ours, float) and isinstance(said, int | float):
        yield differing(where, said, ours, _SAME * max(1.0, abs(ours)))
    else:
        same = said == (list(ours) if isinstance(ours, tuple) else ours)
        yield None if same else Finding(Kind.DIFFERS, where, _short(said), _short(ours))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
