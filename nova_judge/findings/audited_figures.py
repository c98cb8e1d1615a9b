"""Every figure of a judge job and of a report, recomputed from the rows; what differs is listed.

A finding is `differs` where a stated figure is not what the rows give, and `unsupported` where a
figure invites a conclusion that the rows do not carry.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from nova_judge.findings.job_audit import mean_findings, row_findings, significance
from nova_judge.findings.metrics import estimated
from nova_judge.findings.metrics_record import Metrics, Rows
from nova_judge.findings.review_record import ReviewFindings
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.rubric_findings import rubric_metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.job_figures import JobFigures, bootstrap_beside
from nova_judge.pairs.job_findings import Finding, FindingKind, differing, job_findings
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.records import ONE_PASS, JobMetrics, JudgedRow, Judgment, Unscored
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.outcomes import ProfileCounts, count_profiles
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.text import count_of

_SAME = 1e-9
_STAGES = ("judge, forward", "judge, backward", "rubric")


class Audit(msgspec.Struct, frozen=True):
    """Result of an audit. `checked` counts figures, `rows` counts rows."""

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
        checked.add(
            Finding(FindingKind.DIFFERS, f"details, {count_of(count, 'row')}", "counts", reason)
        )
    for index, judgment in enumerate(rows):
        checked.extend(row_findings(index, judgment))
    profiles = count_profiles(rows) if rows else None
    if job is not None:
        checked.extend(job_findings(job, profiles))
        checked.extend(mean_findings(job, rows))
        checked.extend(significance(job))
    return Audit(checked.figures, len(rows), tuple(checked.findings))


def audit_report(
    metrics: Metrics,
    rows: Iterable[JudgedRow],
    read: Callable[[JudgedRow], EvidenceRow] = evidence_row,
    review: ReviewFindings | None = None,
) -> Audit:
    """Every figure of a `metrics.json` that rests on the rows, against `judgments.parquet`.

    `read` gives a row's evidence, with the labels of a review where there was one, and `review`
    what these labels give. The judge job's own figures, which it quotes, are checked in the same
    way.
    """
    kept = list(rows)
    settings = metrics.statistics
    evidence = gather(read(row) for row in kept)
    estimates = estimated(evidence, settings, metrics.basis)
    ours = estimates | {"rubric": rubric_metrics(kept, settings)}
    ours |= {"review": review} if review is not None else {}
    checked = Counted()
    for name, value in ours.items():
        if name != "notes":
            checked.extend(_compared(f"metrics.json: {name}", getattr(metrics, name), value))
    checked.extend(_row_sum(metrics.rows, kept))
    judgments = [row.judgment for row in kept]
    checked.extend(_error_counts(metrics, judgments))
    if metrics.job is not None:
        checked.extend(_quoted_job(metrics.job, judgments, evidence.profiles, settings))
    for index, judged in enumerate(kept):
        checked.extend(row_findings(index, judged.judgment))
    return Audit(checked.figures, len(kept), tuple(checked.findings))


def audit_reweighed(report: SavedReport) -> Audit:
    """Every figure of a report under chosen weights, against its rows under the same weights."""
    checked, ours = Counted(), reweighed_report(report, report.metrics.reweighed).metrics
    checked.extend(_compared("metrics.json", report.metrics, ours))
    rows = ours.reconciled.rows if ours.reconciled else 0
    return Audit(checked.figures, rows, tuple(checked.findings))


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


def _row_sum(stated: Rows, rows: list[JudgedRow]) -> Iterator[Finding | None]:
    failed = sum(
        isinstance(row.judgment.forward, Unscored) and isinstance(row.judgment.backward, Unscored)
        for row in rows
    )
    yield from _compared("metrics.json: rows.judged", stated.judged, len(rows) - failed)
    yield from _compared("metrics.json: rows.judge_failed", stated.judge_failed, failed)
    yield from _compared("metrics.json: rows.input", stated.input, stated.accounted)


def _error_counts(metrics: Metrics, judgments: list[Judgment]) -> Iterator[Finding | None]:
    """The rows that judging left unscored, by stage and reason."""
    ours = Counter(
        (stage, part.reason)
        for judgment in judgments
        for stage, part in zip(
            _STAGES, (judgment.forward, judgment.backward, judgment.rubric), strict=True
        )
        if isinstance(part, Unscored) and not (metrics.one_order and part == ONE_PASS)
    )
    stated = {(each.stage, each.reason): each.count or 0 for each in metrics.errors}
    for stage, reason in sorted({*ours, *(key for key in stated if key[0] in _STAGES)}):
        where = f"metrics.json: errors, {stage}: {reason}"
        yield differing(where, stated.get((stage, reason), 0), ours[stage, reason], 0)


def _quoted_job(
    job: JobFigures,
    judgments: list[Judgment],
    profiles: ProfileCounts,
    settings: StatisticsSettings,
) -> Iterator[Finding | None]:
    yield from job_findings(job.stated, profiles)
    yield from mean_findings(job.stated, judgments)
    ours = bootstrap_beside(profiles, settings)
    yield from _compared("metrics.json: job.bootstrap", job.bootstrap, ours)


def _compared(where: str, stated: object, ours: object) -> Iterator[Finding | None]:
    if isinstance(ours, msgspec.Struct) and isinstance(stated, msgspec.Struct):
        for name in ours.__struct_fields__:
            yield from _compared(f"{where}.{name}", getattr(stated, name), getattr(ours, name))
    elif isinstance(ours, Mapping) and isinstance(stated, Mapping):
        for name in ours:
            yield from _compared(f"{where}.{name}", stated.get(name), ours[name])
    elif isinstance(ours, tuple) and isinstance(stated, tuple) and len(ours) == len(stated):
        for place, (theirs, own) in enumerate(zip(stated, ours, strict=True)):
            yield from _compared(f"{where}[{place}]", theirs, own)
    elif isinstance(ours, float) and isinstance(stated, int | float):
        yield differing(where, stated, ours, _SAME * max(1.0, abs(ours)))
    else:
        same = stated == ours
        yield None if same else Finding(FindingKind.DIFFERS, where, _short(stated), _short(ours))


def _short(value: object) -> str:
    text = str(msgspec.to_builtins(value))
    return text if len(text) <= 200 else f"{text[:197]}..."
