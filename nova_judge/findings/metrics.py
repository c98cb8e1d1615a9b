"""From the facts of a run and its judgments or scores to its `Metrics`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from nova_judge.errors import RowSumError
from nova_judge.findings.metrics_record import ErrorCount, Metrics, RunFailure
from nova_judge.findings.run_evidence import RunEvidence, evidence_of
from nova_judge.pairs.controls import asked_again, blocked_by, noise_floor
from nova_judge.pairs.job_figures import JobFigures, ReportedFigure, job_figures
from nova_judge.records import ONE_PASS, Headline, JobMetrics, JudgedRow, Unscored
from nova_judge.scores.found import ScoresFound
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.scores.text_metrics import ROW_METRICS
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.findings import find
from nova_judge.statistics.positions import Positions
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.text import count_of

_OTHER_ORDER = ("judge, backward", ONE_PASS.reason)
_COMPARED = (("A", "B"), ("base", "customised"))
_MOST_NAMED = 4
_TELLING = ("f1_score_quasi", "rougeL", "qem")


def compute_metrics(facts: Metrics, rows: Iterable[JudgedRow], job: JobMetrics | None) -> Metrics:
    """The metrics of a completed run that compared two candidates, in one pass over its rows.

    `facts` are its metrics without an estimate. Raises RowSumError when input rows are not the sum
    of those rejected, failed and judged.
    """
    return metrics_of(facts, evidence_of(rows), job)


def metrics_of(facts: Metrics, found: RunEvidence, job: JobMetrics | None) -> Metrics:
    """The same from the evidence of the rows, whose rubrics are handed over."""
    evidence, _, errors, rubrics, styled = found
    profiles = evidence.profiles
    basis = Basis.BOTH_ORDERS
    if 0 < errors[_OTHER_ORDER] == evidence.rows:
        basis = Basis.ONE_ORDER
        del errors[_OTHER_ORDER]
    judging = [ErrorCount(stage, why, count) for (stage, why), count in errors.items() if count]
    facts = known_metrics(facts, profiles.judged, profiles.judge_failed, judging)
    blocking = (*facts.blocked_by, *blocked_by(facts.controls))
    settings = msgspec.structs.replace(facts.statistics, blocked_by=blocking)
    estimates = estimated(evidence, settings, basis, styled)
    settings = msgspec.structs.replace(settings, blocked_by=estimates["verdict"].blocked_by)
    noise = _noise(facts, estimates["positions"])
    return msgspec.structs.replace(
        facts,
        **estimates
        | {
            "statistics": settings,
            "rubric": rubrics.metrics(settings, evidence),
            "job": job_figures(job, profiles, settings),
            "notes": (*facts.notes, *noise, *estimates["notes"]),
        },
    )


def estimated(
    evidence: Evidence,
    settings: StatisticsSettings,
    basis: Basis,
    styled: Evidence | None = None,
) -> dict[str, Any]:
    """Every estimate by its field in `Metrics`; rows with one verdict have none of two orders."""
    fields = msgspec.structs.asdict(find(evidence, settings, basis, styled)) | {"basis": basis}
    if basis is not Basis.BOTH_ORDERS:
        alone = evidence.forward_alone().profiles
        fields |= {"profiles": None, "backward": None, "both_bad": None}
        fields |= {"reconciled": alone.reconciled}
    return fields


def _noise(facts: Metrics, of_order: Positions | None) -> tuple[str, ...]:
    floor = noise_floor(facts.controls, of_order.flips if of_order else None)
    again = asked_again(facts.retest) if facts.retest else None
    return tuple(sentence for sentence in (floor, again) if sentence)


def score_metrics(
    facts: Metrics, scored: ScoresFound, *, sent: int, names: Mapping[str, str]
) -> Metrics:
    """The metrics of a completed run that scored single answers; no pair was compared.

    `sent` counts the rows that went into jobs, of which one is judged when a metric scored it;
    `names` says what each subject is called. Raises RowSumError when the rows do not add up.
    """
    table, level = scored.table, facts.statistics.level
    judged = len({score.row for score in scored.scores if not isinstance(score.result, Unscored)})
    subjects = {subject for subject, _ in table.all_keys()}
    pair = next((pair for pair in _COMPARED if subjects.issuperset(pair)), None)
    scores = table.figures(level)
    differences = () if pair is None else table.differences(*pair, level)
    reported = (
        ReportedFigure(subject=subject, metric=metric, **msgspec.structs.asdict(figure))
        for (subject, metric), figure in table.reported.items()
    )
    errors = (
        ErrorCount(f"score, {metric}", reason, count)
        for (metric, reason), count in table.reasons().items()
    )
    return msgspec.structs.replace(
        known_metrics(facts, judged, max(sent - judged, 0), errors),
        headline=score_headline(scores, differences, names),
        scores=scores,
        differences=differences,
        job=JobFigures(reported=tuple(reported)),
        notes=(*facts.notes, *scored.notes),
    )


def rows_seen(scored: ScoresFound) -> int:
    """Number of rows that the containers brought along, for runs without an input file."""
    return len({score.row for score in scored.scores})


def failed_metrics(facts: Metrics, stage: str, reason: str) -> Metrics:
    """The metrics of a run that failed at `stage`: what is known, and no estimate."""
    return msgspec.structs.replace(
        facts,
        status="failed",
        failure=RunFailure(stage, reason),
        errors=(*_most_frequent_first(facts.errors), ErrorCount(stage, reason, None)),
    )


def known_metrics(
    facts: Metrics, judged: int, judge_failed: int, judging_errors: Iterable[ErrorCount]
) -> Metrics:
    """The facts with the account of their rows, and no estimate; raises RowSumError."""
    rows = msgspec.structs.replace(facts.rows, judge_failed=judge_failed, judged=judged)
    if rows.accounted != rows.input:
        parts = msgspec.to_builtins(rows)
        listed = " + ".join(f"{count} {name}" for name, count in parts.items() if name != "input")
        raise RowSumError(
            f"run {facts.run_id}: {listed} = {count_of(rows.accounted, 'row')}, but the input has "
            f"{rows.input}: rows were lost or counted twice, so no figure is reported. "
            f"Compare rejected.jsonl, responses/ and judge/*/rows.jsonl of the run."
        )
    errors = _most_frequent_first([*facts.errors, *judging_errors])
    return msgspec.structs.replace(facts, rows=rows, errors=errors)


def _most_frequent_first(errors: Iterable[ErrorCount]) -> tuple[ErrorCount, ...]:
    return tuple(sorted(errors, key=lambda each: (-(each.count or 0), each.stage, each.reason)))


def score_headline(
    scores: Sequence[MetricScore], differences: Sequence[MetricDifference], names: Mapping[str, str]
) -> Headline:
    """Result of a scoring run in one sentence: the higher candidate, or how high the only one is.

    `names` says what a subject is called. A difference counts when it is shown with all metrics
    together (see `shown_together`).
    """
    if differences:
        return _comparison(differences, names)
    measured = [score for score in scores if score.interval is not None]
    if not measured:
        return Headline("No score", "No metric has a score that an interval can be given for.")
    leading = _leading(measured)[:_MOST_NAMED]
    words = [f"{score.metric} {score.estimate:.3f}" for score in leading]
    if any(score.metric == "rougeL" for score in leading):
        # BLEU is one figure of all rows and has no interval.
        whole = [score for score in scores if score.interval is None]
        words += [
            f"{one.metric} {one.recomputed:.2f}" for one in whole if one.recomputed is not None
        ]
    evidence = ". ".join(_mean_in_words(score, names) for score in leading) + "."
    return Headline(", ".join(words), evidence)


def _leading(figures: Sequence[MetricScore]) -> list[MetricScore]:
    """Put the scores of your own scorer first; of the usual text metrics, the forgiving ones."""
    own = [figure for figure in figures if figure.metric not in ROW_METRICS]
    usual = {figure.metric: figure for figure in figures}
    return own or [usual[name] for name in _TELLING if name in usual] or list(figures)


def _comparison(differences: Sequence[MetricDifference], names: Mapping[str, str]) -> Headline:
    first, second = differences[0].first, differences[0].second
    better = [d.metric for d in differences if d.favours == second]
    worse = [d.metric for d in differences if d.favours == first]
    undecided = [d.metric for d in differences if d.favours is None]
    parts = [
        f"{second} better on {_listed(better)}" if better else "",
        f"{first} better on {_listed(worse)}" if worse else "",
        f"no difference shown on {_listed(undecided)}" if undecided else "",
    ]
    words = "; ".join(part for part in parts if part)
    evidence = ". ".join(_difference_in_words(d) for d in differences[:_MOST_NAMED])
    called = f"{first} is {names.get(first, first)}, {second} is {names.get(second, second)}"
    return Headline(words[:1].upper() + words[1:], f"{evidence}. {called}.")


def _listed(metrics: Sequence[str]) -> str:
    named = ", ".join(metrics[:_MOST_NAMED])
    left = len(metrics) - _MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _mean_in_words(score: MetricScore, names: Mapping[str, str]) -> str:
    named = f"{score.metric} of {names.get(score.subject, score.subject)}"
    interval = score.interval
    if interval is None:
        return f"{named}: {score.reason}"
    ends = f"{100 * interval.level:g} % interval {interval.low:.3f} to {interval.high:.3f}"
    return f"{named} {interval.estimate:.3f} ({ends}, {score.counted})"


def _difference_in_words(difference: MetricDifference) -> str:
    interval = difference.interval
    if interval is None:
        return f"{difference.metric}: {difference.reason}"
    ends = f"{100 * interval.level:g} % interval {interval.low:+.3f} to {interval.high:+.3f}"
    return (
        f"{difference.metric}: {difference.second} less {difference.first} "
        f"{interval.estimate:+.3f} ({ends}, {difference.counted})"
    )
