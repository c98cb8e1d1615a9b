"""`nova-judge score`: try a scorer of your own on a file, in the sandbox, without AWS."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
import typer
from rich.markup import escape
from rich.progress import track

from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import ScorerError
from nova_judge.inputs.input_file import readable
from nova_judge.json_lines import Fault, read_lines
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import Unscored
from nova_judge.scores.jailed_process import limits_that_hold
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.scores.scorer_sandbox import DEFAULT_LIMITS, score_rows
from nova_judge.scores.scorers import NO_SAMPLE, SampleRow
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable
from nova_judge.text import count_of

MOST_REASONS = 10
_FORMS = (
    "a line is {prompt, answer, reference?, metadata?}, what the container writes "
    "{prompt, inference, gold, metadata?}, or a pair {prompt, response_A, response_B, reference?}"
)


ScoreScorer: TypeAlias = Annotated[
    str,
    typer.Option(help="A Python file with a function score, or prime_math, prime_code."),
]
ScoreSeconds: TypeAlias = Annotated[
    float, typer.Option(min=0.1, max=3600, help="The most seconds that one row may take.")
]


class _ScorerRow(NamedTuple):
    """One answer to be scored: whose it is, where it stands, and what the scorer gets.

    `fault` says why the line has no answer.
    """

    subject: str
    line: int
    row: SampleRow
    fault: Unscored | None = None


class _AnswerLine(msgspec.Struct):
    prompt: str = ""
    query: str = ""
    answer: str | None = None
    inference: str | None = None
    reference: str | None = None
    gold: str | None = None
    response_A: str | None = None
    response_B: str | None = None
    metadata: Any = None


def command(
    file: Annotated[Path, typer.Argument(help="Answers of a container, or pairs.")],
    scorer: ScoreScorer,
    seconds: ScoreSeconds = 10.0,
    out: Annotated[Path | None, typer.Option(help="Write every score here, as JSON Lines.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score the answers of a file with a scorer of your own, as AWS's container would call it.

    It runs in a jail: no environment, network or child processes, two gigabytes; the last line says
    what this machine's kernel holds. A row on which the scorer fails, or that has no answer, is
    counted as unscored and never as zero; of prime_code, a program that ends or hangs has failed
    its tests. Exit code 1 when a row has no score.

    Examples:

      nova-judge score examples/pairs.jsonl --scorer scorers/numeric_answer.py

      nova-judge score inference_output.jsonl --scorer prime_math --out scores.jsonl
    """
    rows = _answers_in(file)
    if not rows:
        raise ScorerError(f"{file} holds no answer; {_FORMS}")
    kept = ScoreTable()
    scores: list[AnswerScore] = []
    console = Console(stderr=True)
    usable = [row for row in rows if row.fault is None]
    results = track(_results(scorer, usable, seconds), "scoring", len(usable), console=console)
    scored = iter(list(results))
    for score in _scores(rows, [row.fault or next(scored) for row in rows]):
        kept.facts.setdefault(score.metric, MetricFacts())
        kept.add(score)
        scores.append(score)
    if out is not None:
        out.write_bytes(b"".join(msgspec.json.encode(_line(score)) + b"\n" for score in scores))
    figures = kept.figures(0.95)
    differences = kept.differences("A", "B", 0.95)
    reasons = [
        {"metric": metric, "reason": reason, "count": count}
        for (metric, reason), count in kept.reasons().most_common()
    ]
    if as_json:
        document = {"scores": figures, "differences": differences, "unscored": reasons}
        print_json(document | {"jail": limits_that_hold()})
    else:
        _show(figures, differences, kept.reasons().most_common())
        Console().print(f"Scorer kept in by: {escape(limits_that_hold())}")
    raise typer.Exit(1 if reasons else 0)


def _answers_in(file: Path) -> list[_ScorerRow]:
    """Every answer of the file; a line without one is a row with its fault.

    Raises ScorerError with the first line and what is expected where no line has an answer.
    """
    if not file.is_file():
        raise ScorerError(f"{file} is not a file: give the path of a file of answers; {_FORMS}")
    with readable(file, ScorerError) as plain, plain.open("rb") as lines:
        rows = [
            row for number, line in read_lines(lines, _AnswerLine) for row in _rows_of(number, line)
        ]
    subjects = list(dict.fromkeys(row.subject for row in rows if row.fault is None))
    if rows and not subjects:
        reason = rows[0].fault.reason if rows[0].fault else ""
        raise ScorerError(f"{file}, line {rows[0].line}: {reason}; {_FORMS}")
    return [
        named
        for row in rows
        for named in ([row] if row.fault is None else [row._replace(subject=s) for s in subjects])
    ]


def _rows_of(number: int, line: _AnswerLine | Fault) -> Iterator[_ScorerRow]:
    answers = {} if isinstance(line, Fault) else _answers(line)
    if isinstance(line, Fault) or not answers:
        reason = line.reason if isinstance(line, Fault) else "it has no answer"
        yield _ScorerRow("", number, NO_SAMPLE, Unscored(f"the line cannot be used: {reason}"))
        return
    for subject, answer in answers.items():
        yield _ScorerRow(subject, number, _row(line, answer))


def _answers(line: _AnswerLine) -> dict[str, str]:
    answer = line.answer if line.answer is not None else line.inference
    if answer is not None:
        return {"answer": answer}
    sides = {"A": line.response_A, "B": line.response_B}
    return {side: text for side, text in sides.items() if text is not None}


def _row(line: _AnswerLine, answer: str) -> SampleRow:
    reference = line.reference if line.reference is not None else line.gold
    return SampleRow(line.prompt or line.query, answer, reference or "", line.metadata)


def _results(
    scorer: str, rows: list[_ScorerRow], seconds: float
) -> Iterator[dict[str, float] | Unscored]:
    from nova_judge_local.container.preset_scorers import (  # noqa: PLC0415 - an extra
        NAMES,
        preset_scores,
    )

    wanted = [row.row._asdict() for row in rows]
    if scorer in NAMES:
        return preset_scores(scorer, wanted, seconds)
    if not Path(scorer).is_file():
        near = did_you_mean(scorer, (*NAMES, *map(str, Path(scorer).parent.glob("*.py"))))
        raise ScorerError(
            f"{scorer}: there is no such file, and no scorer of that name; those of AWS are "
            f"{', '.join(NAMES)}{near}"
        )
    return score_rows(Path(scorer), wanted, DEFAULT_LIMITS._replace(row_seconds=seconds))


def _scores(
    rows: list[_ScorerRow], results: list[dict[str, float] | Unscored]
) -> Iterator[AnswerScore]:
    """A row without a result is unscored by every metric that the scorer gave to others."""
    scores = (result for result in results if not isinstance(result, Unscored))
    metrics = dict.fromkeys(name for result in scores for name in result) or {"score": None}
    for row, result in zip(rows, results, strict=True):
        scored = dict.fromkeys(metrics, result) if isinstance(result, Unscored) else result
        for metric, value in scored.items():
            yield AnswerScore(
                row.subject,
                metric,
                row.line,
                value,
                id=f"line-{row.line}",
                prompt=row.row.prompt,
            )


def _line(score: AnswerScore) -> dict[str, object]:
    """One score as --out lists it: the line, whose answer, and why there is none."""
    result = score.result
    return {
        "line": score.row,
        "of": score.subject,
        "metric": score.metric,
        "score": None if isinstance(result, Unscored) else result,
        "unscored": result.reason if isinstance(result, Unscored) else None,
    }


def _show(
    scores: Sequence[MetricScore],
    differences: Sequence[MetricDifference],
    reasons: Sequence[tuple[tuple[str, str], int]],
) -> None:
    console = Console()
    columns = ("metric", "of", "mean", "95 % interval", "rows", "unscored")
    console.print(table(columns, map(_cells, scores)))
    for difference in differences:
        console.print(
            f"{escape(difference.metric)}: B less A {_number(difference.estimate)} "
            f"({_number(difference.low)} to {_number(difference.high)})"
        )
    metrics: dict[tuple[str, int], list[str]] = {}
    for (metric, reason), count in reasons:
        metrics.setdefault((reason, count), []).append(metric)
    for (reason, count), names in list(metrics.items())[:MOST_REASONS]:
        answers = count_of(count, "answer")
        console.print(f"{answers} without {escape(', '.join(names))}: {escape(reason)}")


def _cells(score: MetricScore) -> tuple[str, ...]:
    return (
        score.metric,
        score.subject,
        _number(score.estimate),
        f"{_number(score.low)} to {_number(score.high)}",
        f"{score.rows:,}",
        f"{score.unscored:,}",
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
