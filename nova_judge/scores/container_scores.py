"""Scores out of what AWS's evaluation containers write for benchmarks, own data and rewards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.pairs.judge_output import read_details, read_shown
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.records import Unscored
from nova_judge.runs.job_output import Details, JobOutput
from nova_judge.runs.results_json import figures_by_task, stand_in_of
from nova_judge.scores.inference_lines import NO_ANSWER, InferenceLine, inference_lines
from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import NOT_FINITE, AnswerScore, finite
from nova_judge.scores.text_metrics import (
    NO_BLANKS,
    NO_BLEU_COUNTS,
    ROW_METRICS,
    bleu,
    bleu_counts,
    reads_words,
    row_metrics,
)
from nova_judge.text import storable

_STANDARD_ERROR = "_stderr"
_SHOWN_COLUMNS = ("full_prompt", "gold")
_UNREAD = Unscored("the row's metrics cannot be read")
_OTHER_REFERENCE = Unscored("the answer's line holds the reference of another row")


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
    """Name of what worked in place of the container, where a local run says so."""
    return stand_in_of(files.results)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return finite(value)


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
    for place, (detail, texts) in enumerate(zip(read_details(details.path), shown, strict=True)):
        read = reader.read(detail.metrics) if isinstance(detail.metrics, str) else detail.metrics
        metrics = read if isinstance(read, dict) else {}
        row = first + place
        results = _results_of(metrics, expected)
        yield [
            AnswerScore(
                subject,
                name,
                row,
                result,
                id=f"{category}-{place + 1}" if category else str(row + 1),
                category=category,
                prompt=texts[0],
                answer=_text(detail.predictions),
                reference=texts[1],
            )
            for name, result in results.items()
        ]


def _results_of(
    metrics: Mapping[str, Any], expected: Collection[str]
) -> dict[str, float | Unscored]:
    """The numbers among a row's metrics; nan and what is missing are not scores."""
    results: dict[str, float | Unscored] = {}
    for name, value in metrics.items():
        if isinstance(value, int | float):
            number = finite(value)
            results[storable(name)] = NOT_FINITE if number is None else number
    if all(isinstance(result, Unscored) for result in results.values()):
        return dict.fromkeys(expected or ("score",), _UNREAD)
    return results


def _shown(details: Path) -> Iterator[tuple[str, str]]:
    """Prompt and reference of each row, where the file has them."""
    for prompt, gold in read_shown(details, _SHOWN_COLUMNS):
        yield _text(prompt), _text(gold)


def _text(value: object) -> str:
    """A cell as text; references and predictions come as lists."""
    if isinstance(value, list | tuple):
        return "\n".join(_text(part) for part in value)
    return "" if value is None else storable(str(value))


class Recomputed(NamedTuple):
    """Own data scored again from the container's answers; `lines` counts those it wrote.

    `bleu` is unscored where no row has a score of its own.
    """

    scores: list[AnswerScore]
    bleu: float | Unscored | None
    lines: int


def recomputed_scores(subject: str, files: JobOutput, rows: Sequence[OwnRow]) -> Recomputed:
    """F1, ROUGE and exact match of every row that was sent, BLEU over all of them.

    Lines are taken in the order of the rows. A row without a line, with an unreadable one or
    without an answer is unscored. Raises JudgeJobError where lines have other rows' references,
    because scores could not be matched to rows.
    """
    lines = [line for path in files.inference_output for line in inference_lines(path)]
    _check_order(lines, rows)
    scores: list[AnswerScore] = []
    counts, counted = NO_BLEU_COUNTS, 0
    for place, row in enumerate(rows):
        line = lines[place] if place < len(lines) else NO_ANSWER
        answer = line if isinstance(line, Unscored) else _answer_to(line, row)
        if isinstance(answer, Unscored):
            scores += _own_scores(subject, row, "", dict.fromkeys(ROW_METRICS, answer))
            continue
        metrics = row_metrics(answer, row.reference)
        scores += _own_scores(subject, row, answer, metrics)
        if reads_words(row.reference):
            counts, counted = counts.plus(bleu_counts(answer, row.reference)), counted + 1
    total = bleu(counts) if counted else NO_BLANKS
    return Recomputed(scores, total if lines else None, len(lines))


def _check_order(lines: Sequence[InferenceLine | Unscored], rows: Sequence[OwnRow]) -> None:
    """One odd reference is a row's fault; several are those of another order."""
    others = [
        (place, row)
        for place, (line, row) in enumerate(zip(lines, rows, strict=False))
        if not isinstance(line, Unscored) and not _same_reference(line.gold, row.reference)
    ]
    if len(others) > max(1, len(rows) // 20) or (others and len(lines) != len(rows)):
        place, row = others[0]
        raise JudgeJobError(
            f"inference_output.jsonl, line {place + 1}: its reference is not that of row "
            f"{row.id}: the answers are not in the order of the input"
        )


def _answer_to(line: InferenceLine, row: OwnRow) -> str | Unscored:
    if not _same_reference(line.gold, row.reference):
        return _OTHER_REFERENCE
    return line.answer


def _same_reference(gold: str, reference: str) -> bool:
    return gold.strip() == storable(reference).strip()


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
            cluster=row.cluster,
        )
        for name, result in results.items()
    ]
