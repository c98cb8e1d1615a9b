"""Scores out of what AWS's evaluation containers write for benchmarks, own data and rewards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.json_lines import require_lines
from nova_judge.pairs.job_findings import figure
from nova_judge.pairs.judge_output import read_details, read_shown
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.records import Unscored
from nova_judge.runs.job_output import Details, JobOutput
from nova_judge.runs.results_json import figures_by_task, stand_in_of
from nova_judge.scores.found import JobScores
from nova_judge.scores.inference_lines import NO_ANSWER, InferenceLine, inference_lines
from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import NOT_FINITE, AnswerScore, MetricFacts, finite
from nova_judge.scores.text_metrics import (
    NO_BLANKS,
    NO_BLEU_COUNTS,
    ROW_METRICS,
    bleu,
    bleu_counts,
    reads_words,
    row_metrics,
)
from nova_judge.statistics.metric_means import Scale
from nova_judge.text import count_of, storable

_STANDARD_ERROR = "_stderr"
BLEU = "bleu"
CONTAINER_FACTS = {BLEU: MetricFacts(scale=Scale(0.0, 100.0))}
_RECOMPUTED = (*ROW_METRICS, BLEU)
_NO_SCORE = Unscored("the scorer gave no score")
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
        for name in chosen:
            mean = figure(chosen, name)
            if mean is not None and not name.endswith(_STANDARD_ERROR):
                figures[name] = Reported(mean, figure(chosen, f"{name}{_STANDARD_ERROR}"))
    return figures


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
        text, metrics = "", dict[str, float | Unscored]()
        if isinstance(answer, Unscored):
            metrics = dict.fromkeys(ROW_METRICS, answer)
        else:
            text, metrics = answer, row_metrics(answer, row.reference)
            if reads_words(row.reference):
                counts, counted = counts.plus(bleu_counts(answer, row.reference)), counted + 1
        scores += (
            AnswerScore(subject, name, result=result, answer=text, **row._asdict())
            for name, result in metrics.items()
        )
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


def container_job(subject: str, output: JobOutput, sent: Path | None) -> JobScores:
    """The scores of a benchmark or of own data; `sent` holds the rows that the job was given.

    Raises JudgeJobError where they cannot be read or are not those of the rows.
    """
    rows = list(require_lines(sent, OwnRow, JudgeJobError)) if sent is not None else []
    if output.inference_output and sent is not None:
        return _own_data(subject, output, rows)
    reported = reported_figures(output)
    scores = list(_placed(detail_scores(subject, output, list(reported)), rows))
    return JobScores(subject, scores, reported, stand_in=stand_in_of(output.results))


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
        stand_in_of(output.results),
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
                yield AnswerScore(subject, metric, result=_NO_SCORE, **row._asdict())


def _placed(scores: Iterable[AnswerScore], rows: Sequence[OwnRow]) -> Iterator[AnswerScore]:
    """Scores by their place in the details as scores of the rows that were sent, if any were."""
    for score in scores:
        if score.row < len(rows):
            yield score._replace(**rows[score.row]._asdict())
        elif not rows:
            yield score
