"""Every figure of a judge job and of a report, recomputed from the rows; what differs is listed.

A finding is `differs` where a stated figure is not what the rows give, and `unsupported` where a
figure invites a conclusion that the rows do not carry.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

import msgspec

from nova_judge.findings.metrics import estimated
from nova_judge.findings.metrics_record import Metrics, ReviewFindings, Rows
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.rubric_findings import REPORTED_TOLERANCE, RubricEvidence
from nova_judge.findings.run_evidence import STAGES, unscored_parts
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.job_figures import bootstrap_beside
from nova_judge.pairs.job_findings import (
    LEVEL,
    Finding,
    FindingKind,
    decisive,
    differing,
    figure,
    job_findings,
)
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.pairs.weighted_scores import WeightedScores, recomputed_scores
from nova_judge.records import ONE_PASS, JobMetrics, JudgedRow, Judgment, Rubric, Unscored
from nova_judge.statistics.distributions import sign_test
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.outcomes import count_profiles
from nova_judge.text import count_of

_SAME = 1e-9
_OF_ROW = ("weighted_score_A", "weighted_score_B", "score_margin")
_AVERAGES = ("average_weighted_score_a", "average_weighted_score_b", "average_margin")


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
    checked: list[Finding | None] = [
        Finding(FindingKind.DIFFERS, f"details, {count_of(count, 'row')}", "counts", reason)
        for reason, count in notes.items()
    ]
    for index, judgment in enumerate(rows):
        checked += row_findings(index, judgment)
    if job is not None:
        checked += job_findings(job, count_profiles(rows) if rows else None)
        checked += mean_findings(job, rows)
        checked += significance(job)
    return _audit(checked, len(rows))


def audit_report(
    metrics: Metrics,
    rows: Iterable[JudgedRow],
    read: Callable[[JudgedRow], EvidenceRow] = evidence_row,
    review: ReviewFindings | None = None,
    written: object = None,
) -> Audit:
    """Every figure of a `metrics.json` that rests on the rows, against `judgments.parquet`.

    `read` gives a row's evidence, with the labels of a review where there was one, and `review`
    what these labels give. `written` is the file as it stands: figures that it lacks, because an
    earlier version wrote it, state nothing. The judge job's own figures, which it quotes, are
    checked in the same way.
    """
    kept = list(rows)
    stated = written if isinstance(written, Mapping) else msgspec.to_builtins(metrics)
    settings = metrics.statistics
    evidence = gather(read(row) for row in kept)
    judgments = [row.judgment for row in kept]
    rubrics = RubricEvidence()
    for judgment in judgments:
        rubrics.add(judgment)
    estimates = estimated(evidence, settings, metrics.basis)
    ours = estimates | {"rubric": rubrics.metrics(settings, evidence)}
    ours |= {"review": review} if review is not None else {}
    checked: list[Finding | None] = []
    for name, value in ours.items():
        if name != "notes" and name in stated:
            checked += _compared(f"metrics.json: {name}", stated[name], value)
    checked += _row_sum(metrics.rows, kept)
    checked += _error_counts(metrics, judgments)
    if metrics.job is not None:
        checked += job_findings(metrics.job.stated, evidence.profiles)
        checked += mean_findings(metrics.job.stated, judgments)
        if "bootstrap" in stated["job"]:
            again = bootstrap_beside(evidence.profiles, settings)
            checked += _compared("metrics.json: job.bootstrap", stated["job"]["bootstrap"], again)
    for index, judgment in enumerate(judgments):
        checked += row_findings(index, judgment)
    return _audit(checked, len(kept))


def audit_reweighed(report: SavedReport, written: object) -> Audit:
    """Every figure of a report under chosen weights, against its rows under the same weights."""
    ours = reweighed_report(report, report.metrics.reweighed).metrics
    checked = list(_compared("metrics.json", written, ours))
    return _audit(checked, ours.reconciled.rows if ours.reconciled else 0)


def _audit(checked: list[Finding | None], rows: int) -> Audit:
    """Of the figures that were looked at, None is one that holds."""
    return Audit(len(checked), rows, tuple(filter(None, checked)))


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
    ours = Counter(part for judgment in judgments for part in unscored_parts(judgment))
    for stage in STAGES if metrics.one_order else ():
        del ours[stage, ONE_PASS.reason]
    stated = {(each.stage, each.reason): each.count or 0 for each in metrics.errors}
    for stage, reason in sorted({*ours, *(key for key in stated if key[0] in STAGES)}):
        where = f"metrics.json: errors, {stage}: {reason}"
        yield differing(where, stated.get((stage, reason), 0), ours[stage, reason], 0)


def _compared(where: str, stated: object, ours: object) -> Iterator[Finding | None]:
    if isinstance(ours, msgspec.Struct) and isinstance(stated, Mapping):
        for name in filter(stated.__contains__, ours.__struct_fields__):
            yield from _compared(f"{where}.{name}", stated[name], getattr(ours, name))
    elif isinstance(ours, Mapping) and isinstance(stated, Mapping):
        for name in ours:
            yield from _compared(f"{where}.{name}", stated.get(name), ours[name])
    elif isinstance(ours, tuple) and isinstance(stated, Sequence) and len(ours) == len(stated):
        for place, (theirs, own) in enumerate(zip(stated, ours, strict=True)):
            yield from _compared(f"{where}[{place}]", theirs, own)
    elif isinstance(ours, float) and isinstance(stated, int | float):
        yield differing(where, stated, ours, _SAME * max(1.0, abs(ours)))
    else:
        same = stated == msgspec.to_builtins(ours)
        yield None if same else Finding(FindingKind.DIFFERS, where, _short(stated), _short(ours))


def _short(value: object) -> str:
    text = str(msgspec.to_builtins(value))
    return text if len(text) <= 200 else f"{text[:197]}..."
