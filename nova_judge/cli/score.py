"""`nova-judge score`: try a scorer of your own on a file, in the sandbox, without AWS."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import typer
from rich.markup import escape
from rich.progress import track

from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import ScorerError
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import Unscored
from nova_judge.scores.jailed_process import limits_that_hold
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.scores.scored_file import FORMS, ScorerRow, read_answers
from nova_judge.scores.scorer_sandbox import DEFAULT_LIMITS, score_rows
from nova_judge.scores.table import AnswerScore, MetricFacts, ScoreTable
from nova_judge.text import count_of

MOST_REASONS = 10


ScoreScorer: TypeAlias = Annotated[
    str,
    typer.Option(help="A Python file with a function score, or prime_math, prime_code."),
]
ScoreSeconds: TypeAlias = Annotated[
    float, typer.Option(min=0.1, max=3600, help="The most seconds that one row may take.")
]


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
    rows = read_answers(file)
    if not rows:
        raise ScorerError(f"{file} holds no answer; {FORMS}")
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


def _results(
    scorer: str, rows: list[ScorerRow], seconds: float
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
    rows: list[ScorerRow], results: list[dict[str, float] | Unscored]
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
