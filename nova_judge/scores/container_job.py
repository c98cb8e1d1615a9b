"""The scores in a job of AWS's evaluation containers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.json_lines import require_lines
from nova_judge.records import Unscored
from nova_judge.runs.job_output import JobOutput
from nova_judge.scores.container_scores import (
    detail_scores,
    recomputed_scores,
    reported_figures,
    stand_in,
)
from nova_judge.scores.found import JobScores
from nova_judge.scores.table import AnswerScore, MetricFacts
from nova_judge.scores.text_metrics import ROW_METRICS
from nova_judge.statistics.metric_means import Scale
from nova_judge.text import count_of

BLEU = "bleu"
CONTAINER_FACTS = {BLEU: MetricFacts(scale=Scale(0.0, 100.0))}
_RECOMPUTED = (*ROW_METRICS, BLEU)
_NO_SCORE = Unscored("the scorer gave no score")


def container_job(subject: str, output: JobOutput, sent: Path | None) -> JobScores:
    """The scores of a benchmark or of own data; `sent` holds the rows that the job was given.

    Raises JudgeJobError where they cannot be read or are not those of the rows.
    """
    rows = list(require_lines(sent, OwnRow, JudgeJobError)) if sent is not None else []
    if output.inference_output and sent is not None:
        return _own_data(subject, output, rows)
    reported = reported_figures(output)
    scores = list(_placed(detail_scores(subject, output, list(reported)), rows))
    return JobScores(subject, scores, reported, stand_in=stand_in(output))


def _own_data(subject: str, output: JobOutput, rows: Sequence[OwnRow]) -> JobScores:
    """F1 and its like again from the answers; what a scorer of your own said, from the details."""
    reported = reported_figures(output)
    again = recomputed_scores(subject, output, rows)
    others = [name for name in reported if name not in _RECOMPUTED]
    own = [
        score
        for score in _placed(detail_scores(subject, output, others), rows)
        if score.metric not in _RECOMPUTED
    ]
    notes = []
    if again.lines > len(rows):
        notes.append(
            f"the container wrote {count_of(again.lines, 'answer')} for "
            f"{count_of(len(rows), 'row')}"
        )
    if isinstance(again.bleu, Unscored):
        notes.append(f"{BLEU} is unscored: {again.bleu.reason}")
    return JobScores(
        subject,
        [*again.scores, *own, *_missing_scores(subject, own, rows)],
        reported,
        {BLEU: again.bleu} if isinstance(again.bleu, float) else {},
        tuple(notes),
        stand_in(output),
    )


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
                    cluster=row.cluster,
                )


def _placed(scores: Iterable[AnswerScore], rows: Sequence[OwnRow]) -> Iterator[AnswerScore]:
    """Scores by their place in the details as scores of the rows that were sent, if any were."""
    for score in scores:
        if score.row < len(rows):
            row = rows[score.row]
            yield score._replace(
                row=row.row,
                id=row.id,
                category=row.category,
                prompt=row.prompt,
                reference=row.reference,
                cluster=row.cluster,
            )
        elif not rows:
            yield score
