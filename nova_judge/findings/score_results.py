"""The metrics of a run that scored single answers."""

from collections.abc import Mapping

from nova_judge.findings.metrics import RunFacts, ScoredFindings, scored_metrics
from nova_judge.findings.metrics_record import ErrorCount, Metrics
from nova_judge.pairs.job_figures import JobFigures, ReportedFigure
from nova_judge.records import Unscored
from nova_judge.scores.found import ScoresFound
from nova_judge.scores.headline import score_headline

_COMPARED = (("A", "B"), ("base", "customised"))


def score_metrics(
    facts: RunFacts, scored: ScoresFound, *, sent: int, names: Mapping[str, str]
) -> Metrics:
    """The metrics of a scoring run.

    `sent` counts the rows that went into jobs; `names` says what each subject is called.
    """
    table, level = scored.table, facts.settings.level
    judged = len({score.row for score in scored.scores if not isinstance(score.result, Unscored)})
    subjects = {subject for subject, _ in table.all_keys()}
    pair = next((pair for pair in _COMPARED if subjects.issuperset(pair)), None)
    scores = table.figures(level)
    differences = () if pair is None else table.differences(*pair, level)
    reported = (
        ReportedFigure(
            subject=subject,
            metric=metric,
            value=figure.value,
            standard_error=figure.standard_error,
        )
        for (subject, metric), figure in table.reported.items()
    )
    findings = ScoredFindings(
        headline=score_headline(scores, differences, names),
        scores=scores,
        differences=differences,
        job=JobFigures(reported=tuple(reported)),
        judged=judged,
        judge_failed=max(sent - judged, 0),
        errors=tuple(
            ErrorCount(f"score, {metric}", reason, count)
            for (metric, reason), count in table.reasons().items()
        ),
        notes=scored.notes,
    )
    return scored_metrics(facts, findings)


def rows_seen(scored: ScoresFound) -> int:
    """Number of rows that the containers brought along, for runs without an input file."""
    return len({score.row for score in scored.scores})
