"""From the files of a scoring run's jobs to its scores, its metrics and the rows of its report."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.findings.metrics import RunFacts, scored_metrics
from nova_judge.inputs.own_data import OwnRow
from nova_judge.json_lines import require_lines
from nova_judge.kinds.bedrock import candidate_of
from nova_judge.kinds.job import PlannedJob
from nova_judge.recipe.bedrock_judge import BedrockJudge
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.serverless import ServerlessJudge
from nova_judge.records import Unscored
from nova_judge.scores.bedrock_scores import (
    bedrock_scores,
    llmaj_scores,
    lower_is_better,
    metric_scale,
    stand_in_of,
)
from nova_judge.scores.container_scores import (
    detail_scores,
    recomputed_scores,
    reported_figures,
    stand_in,
)
from nova_judge.scores.headline import score_headline
from nova_judge.scores.job_outputs import ScoreFiles
from nova_judge.scores.table import AnswerScore, MetricFacts, Reported, ScoreTable
from nova_judge.scores.text_metrics import ROW_METRICS
from nova_judge.statistics.metric_means import Scale

BLEU = "bleu"
_RECOMPUTED = (*ROW_METRICS, BLEU)
_BLEU_SCALE = Scale(0.0, 100.0)
_NO_SCORE = Unscored("the scorer gave no score")
_FAR = 1e-6  # relative: reported and recomputed figures of equal rows agree far better


class FinishedJob(NamedTuple):
    """A job that completed, its output on disk, and the file of the rows that were sent to it."""

    planned: PlannedJob
    files: ScoreFiles
    rows: Path | None = None


class ScoredRun(NamedTuple):
    """Everything that was found: the figures, every score, and what has to be said about them."""

    table: ScoreTable
    scores: list[AnswerScore]
    notes: tuple[str, ...]
    stand_in: str | None


def score_run(recipe: Recipe, jobs: Sequence[FinishedJob]) -> ScoredRun:
    """The scores of a run out of all its jobs. Raises JudgeJobError where they cannot be read."""
    table = ScoreTable()
    table.facts = _facts(recipe)
    scores: list[AnswerScore] = []
    notes: Counter[str] = Counter()
    prompts: dict[str, int] = {}
    for job in jobs:
        if job.planned.step == "answer":
            continue
        found = _scores_of(recipe, job, table, notes, prompts)
        for score in found:
            table.add(score)
            scores.append(score)
    stood_in = next((said for job in jobs if (said := stand_in(job.files))), None)
    if recipe.judge.bedrock is not None:
        stood_in = next((said for said in map(stand_in_of, scores) if said), None)
    notes.update(_disagreements(table))
    return ScoredRun(table, scores, tuple(notes), stood_in)


def _scores_of(
    recipe: Recipe,
    job: FinishedJob,
    table: ScoreTable,
    notes: Counter[str],
    prompts: dict[str, int],
) -> Iterator[AnswerScore]:
    if recipe.judge.bedrock is not None:
        judge, candidate = recipe.judge.bedrock, candidate_of(job.planned)
        yield from bedrock_scores(judge, candidate, job.files, job.rows)
        return
    subject = job.planned.subject
    reported = reported_figures(job.files)
    for metric, figure in reported.items():
        table.reported[subject, metric] = figure
    if job.planned.step == "judge":
        yield from llmaj_scores(subject, job.files, prompts)
    elif job.files.inference_output and job.rows is not None:
        yield from _own_data_scores(job, table, notes)
    else:
        yield from _placed(detail_scores(subject, job.files, list(reported)), _own_rows(job))


def _own_data_scores(
    job: FinishedJob, table: ScoreTable, notes: Counter[str]
) -> Iterator[AnswerScore]:
    """F1 and its like again from the answers; what a scorer of your own said, from the details."""
    subject, rows = job.planned.subject, _own_rows(job)
    again = recomputed_scores(subject, job.files, rows)
    yield from again.scores
    if again.bleu is not None:
        table.recomputed[subject, BLEU] = again.bleu
    others = [name for s, name in table.reported if s == subject and name not in _RECOMPUTED]
    own = [
        score
        for score in _placed(detail_scores(subject, job.files, others), rows)
        if score.metric not in _RECOMPUTED
    ]
    yield from own
    yield from _missing_scores(subject, own, rows)
    if again.lines > len(rows):
        notes[f"the container wrote {again.lines} answers for {len(rows)} rows"] += 1


def _missing_scores(
    subject: str, scores: Sequence[AnswerScore], rows: Sequence[OwnRow]
) -> Iterator[AnswerScore]:
    """The rows that have no score of a metric which others have: there the scorer failed."""
    scored: dict[str, set[int]] = defaultdict(set)
    for score in scores:
        scored[score.metric].add(score.row)
    for metric, held in scored.items():
        for row in rows:
            if row.row not in held:
                yield AnswerScore(
                    subject,
                    metric,
                    row.row,
                    _NO_SCORE,
                    id=row.id,
                    category=row.category,
                    prompt=row.prompt,
                    reference=row.reference,
                )


def _own_rows(job: FinishedJob) -> list[OwnRow]:
    return list(require_lines(job.rows, OwnRow, JudgeJobError)) if job.rows is not None else []


def _placed(scores: Iterator[AnswerScore], rows: Sequence[OwnRow]) -> Iterator[AnswerScore]:
    """Scores by their place in the details as scores of the rows that were sent, if any were."""
    for score in scores:
        if score.row < len(rows):
            row = rows[score.row]
            yield score._replace(
                row=row.row, id=row.id, category=row.category, reference=row.reference
            )
        elif not rows:
            yield score


def _facts(recipe: Recipe) -> dict[str, MetricFacts]:
    judge = _judge_of(recipe)
    if judge is None:
        return {BLEU: MetricFacts(scale=_BLEU_SCALE)}
    names = [*judge.metrics, *(metric.name for metric in judge.custom_metrics)]
    return {
        name: MetricFacts(
            "lower" if lower_is_better(judge.custom_metrics, name) else "higher",
            Scale(*metric_scale(judge.custom_metrics, name)),
        )
        for name in names
    }


def _judge_of(recipe: Recipe) -> BedrockJudge | ServerlessJudge | None:
    serverless = recipe.judge.serverless
    return recipe.judge.bedrock or (serverless.llmaj if serverless is not None else None)


def _disagreements(table: ScoreTable) -> Iterator[str]:
    """Where the container's own figure is not what its rows say."""
    for (subject, metric), reported in table.reported.items():
        found = table.mean_of(subject, metric)
        if found is None or _near(found, reported.value):
            continue
        by_task = table.mean_of_categories(subject, metric)
        if by_task is not None and _near(by_task, reported.value):
            yield (
                f"{subject}: the container reports {metric} {reported.value:.4f}, where every "
                f"sub-task counts alike; {found:.4f} is the mean of all rows"
            )
            continue
        yield (
            f"{subject}: the container reports {metric} {reported.value:.4f}, "
            f"its rows give {found:.4f}"
        )


def _near(found: float, reported: float) -> bool:
    return abs(found - reported) <= _FAR * max(1.0, abs(found))


def score_metrics(
    facts: RunFacts, found: ScoredRun, *, sent: int, names: Mapping[str, str]
) -> dict[str, Any]:
    """`metrics.json` of a scoring run.

    `sent` counts the rows that went into jobs; `names` says what each subject is called.
    """
    level = facts.settings.level
    judged = {score.row for score in found.scores if not isinstance(score.result, Unscored)}
    table = found.table
    subjects = list(dict.fromkeys(subject for subject, _ in table.known()))
    pair = next((p for p in (("A", "B"), ("base", "customised")) if set(p) <= set(subjects)), None)
    scores = table.figures(level)
    differences = [] if pair is None else table.differences(*pair, level)
    scored = {
        "headline": msgspec.structs.asdict(score_headline(scores, differences, names)),
        "scores": scores,
        "differences": differences,
        "job": {
            "reported": [
                {"subject": subject, "metric": metric, **_reported(figure)}
                for (subject, metric), figure in table.reported.items()
            ]
        },
    }
    errors = Counter({(f"score, {metric}", why): n for (metric, why), n in table.reasons().items()})
    return scored_metrics(
        facts,
        scored,
        judge_failed=max(sent - len(judged), 0),
        judged=len(judged),
        errors=errors,
        notes=found.notes,
    )


def _reported(figure: Reported) -> dict[str, float | None]:
    return {"value": figure.value, "standard_error": figure.standard_error}


def rows_seen(found: ScoredRun) -> int:
    """How many rows the containers brought along, for runs without an input file."""
    return len({score.row for score in found.scores})
