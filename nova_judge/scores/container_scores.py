"""Scores out of what AWS's evaluation containers write for benchmarks, own data and rewards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.json_lines import require_lines
from nova_judge.pairs.judge_output import read_details, read_shown
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.records import Unscored
from nova_judge.runs.job_output import Details, JobOutput
from nova_judge.runs.results_json import figures_by_task, stand_in_of
from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import AnswerScore
from nova_judge.scores.text_metrics import (
    NO_BLEU_COUNTS,
    ROW_METRICS,
    bleu,
    bleu_counts,
    row_metrics,
)
from nova_judge.text import storable

_STANDARD_ERROR = "_stderr"
_SHOWN_COLUMNS = ("full_prompt", "gold")
_UNREAD = Unscored("the row's metrics cannot be read")
_NO_ANSWER = Unscored("the container gave no answer")


class InferenceLine(msgspec.Struct):
    """One line of `inference_output.jsonl`."""

    inference: str
    prompt: str = ""
    gold: str = ""
    metadata: Any = None


def reported_figures(files: JobOutput) -> dict[str, Reported]:
    """The means that the container reported over all its tasks, by metric.

    `all` stands for all tasks; where there is one task only, it is that one. Raises JudgeJobError.
    """
    figures: dict[str, Reported] = {}
    for path in files.results:
        tasks = figures_by_task(path)
        chosen = tasks.get("all") or next(iter(tasks.values()), {})
        for name, value in chosen.items():
            mean = _number(value)
            if mean is not None and not name.endswith(_STANDARD_ERROR):
                figures[name] = Reported(mean, _number(chosen.get(f"{name}{_STANDARD_ERROR}")))
    return figures


def stand_in(files: JobOutput) -> str | None:
    """What worked in place of the container, where a local run says so."""
    return stand_in_of(files.results)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def detail_scores(
    subject: str, files: JobOutput, expected: Collection[str]
) -> Iterator[AnswerScore]:
    """Every row of every details file: each number in its `metrics` is a score.

    A row whose metrics cannot be read is unscored by each metric of `expected`.
    """
    row = 0
    for details in sorted(files.details):
        for scores in _scores_of_rows(subject, details, row, expected):
            yield from scores
            row += 1


def _scores_of_rows(
    subject: str, details: Details, first: int, expected: Collection[str]
) -> Iterator[list[AnswerScore]]:
    reader = MetricsReader()
    category = details.task.partition(":")[2] or None
    shown = _shown(details.path)
    for place, (found, texts) in enumerate(zip(read_details(details.path), shown, strict=True)):
        read = reader.read(found.metrics) if isinstance(found.metrics, str) else found.metrics
        metrics = read if isinstance(read, dict) else {}
        predictions = found.predictions
        answer = predictions if isinstance(predictions, str) else "\n".join(predictions or [])
        row = first + place
        numbers = {
            storable(name): float(value)
            for name, value in metrics.items()
            if isinstance(value, int | float) and value == value  # noqa: PLR0124 - nan is no score
        }
        unread = {} if numbers else dict.fromkeys(expected or ("score",), _UNREAD)
        yield [
            AnswerScore(
                subject,
                name,
                row,
                result,
                id=f"{category}-{place + 1}" if category else str(row + 1),
                category=category,
                prompt=texts[0],
                answer=answer,
                reference=texts[1],
            )
            for name, result in (numbers | unread).items()
        ]


def _shown(details: Path) -> Iterator[tuple[str, str]]:
    """Prompt and reference of each row, where the file has them."""
    for prompt, gold in read_shown(details, _SHOWN_COLUMNS):
        yield _text(prompt), _text(gold)


def _text(value: object) -> str:
    """A cell as text; references come as lists."""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


class Recomputed(NamedTuple):
    """Own data scored again from the container's answers; `lines` counts those it wrote."""

    scores: list[AnswerScore]
    bleu: float | None
    lines: int


def recomputed_scores(subject: str, files: JobOutput, rows: Sequence[OwnRow]) -> Recomputed:
    """F1, ROUGE and exact match of every row that was sent, BLEU over all of them.

    Lines are taken in the order of the rows; a line whose reference is another row's is refused,
    because scores could not be matched to rows. A row without a line is unscored.
    """
    lines = [
        line
        for path in files.inference_output
        for line in require_lines(path, InferenceLine, JudgeJobError)
    ]
    scores: list[AnswerScore] = []
    counts = NO_BLEU_COUNTS
    for place, row in enumerate(rows):
        if place >= len(lines):
            scores += _own_scores(subject, row, "", dict.fromkeys(ROW_METRICS, _NO_ANSWER))
            continue
        line = lines[place]
        if line.gold != row.reference:
            raise JudgeJobError(
                f"inference_output.jsonl, line {place + 1}: its reference is not that of row "
                f"{row.id}: the answers are not in the order of the input"
            )
        counts = counts.plus(bleu_counts(line.inference, row.reference))
        found = row_metrics(line.inference, row.reference)
        scores += _own_scores(subject, row, line.inference, found)
    return Recomputed(scores, bleu(counts) if lines else None, len(lines))


def _own_scores(
    subject: str, row: OwnRow, answer: str, results: Mapping[str, float | Unscored]
) -> list[AnswerScore]:
    return [
        AnswerScore(
            subject,
            name,
            row.row,
            result,
            id=row.id,
            category=row.category,
            prompt=row.prompt,
            answer=answer,
            reference=row.reference,
        )
        for name, result in results.items()
    ]
