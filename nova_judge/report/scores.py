"""The files of a scoring run's report: page, summary, figure, scores and test cases."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from nova_judge import __version__
from nova_judge.findings import sentences
from nova_judge.findings.metrics_record import Metrics, encode_metrics
from nova_judge.parquet import write_parquet
from nova_judge.records import Rejected, Unscored
from nova_judge.report.figure import render
from nova_judge.report.junit import render_junit
from nova_judge.report.page import MOST_REJECTED, asset, environment
from nova_judge.report.score_figure import plot_scores, share_of_scale
from nova_judge.report.score_markdown import render_score_markdown
from nova_judge.scores.table import AnswerScore
from nova_judge.text import storable

MOST_ROWS = 300
MOST_CHARACTERS = 4_000
COLUMNS: Final[dict[str, str]] = {
    "subject": "VARCHAR",
    "metric": "VARCHAR",
    "row": "BIGINT",
    "id": "VARCHAR",
    "category": "VARCHAR",
    "score": "DOUBLE",
    "word": "VARCHAR",
    "unscored": "VARCHAR",
    "explanation": "VARCHAR",
    "prompt": "VARCHAR",
    "answer": "VARCHAR",
    "reference": "VARCHAR",
}
"""Columns of scores.parquet, a line a subject, metric and row; `unscored`: why there is none."""


def render_score_report(
    metrics: Metrics, scores: Sequence[AnswerScore], rejected: Iterable[Rejected] = ()
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the report; equal input gives equal bytes."""
    yield "metrics.json", encode_metrics(metrics)
    yield "scores.parquet", _parquet(scores)
    figure = plot_scores(metrics)
    yield "figure.png", render(figure, "png")
    yield "figure.svg", render(figure, "svg")
    yield "report.md", render_score_markdown(metrics).encode()
    yield "junit.xml", render_junit(metrics)
    yield "report.html", render_score_page(metrics, scores, rejected).encode()


def render_score_page(
    metrics: Metrics, scores: Sequence[AnswerScore], rejected: Iterable[Rejected] = ()
) -> str:
    """`report.html` of a scoring run: no script, so that its policy allows none."""
    rows = _rows_shown(scores)
    return (
        environment()
        .get_template("scores.html.j2")
        .render(
            metrics=metrics,
            headline=sentences.headline(metrics),
            rows_sentence=sentences.rows(metrics),
            style=asset("report.css"),
            rejected=list(islice(rejected, MOST_REJECTED)),
            share=share_of_scale,
            rows_shown=rows,
            rows_held=len({score.row for score in scores}),
            most_rows=MOST_ROWS,
            version=__version__,
        )
    )


def _rows_shown(scores: Sequence[AnswerScore]) -> list[dict[str, Any]]:
    """The first rows with all their scores; long texts are cut, and nothing in scores.parquet."""
    kept = set(islice(dict.fromkeys(score.row for score in scores), MOST_ROWS))
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for score in scores:
        if score.row not in kept:
            continue
        row = rows.setdefault(
            (score.row, score.subject),
            {"row": score.row, "subject": score.subject, "id": score.id, "scores": []}
            | {name: _cut(getattr(score, name)) for name in ("prompt", "answer", "reference")}
            | {"category": score.category and _cut(score.category)},
        )
        row["scores"].append((score.metric, _told(score.result), _cut(score.explanation)))
    return [rows[key] for key in sorted(rows)]


def _told(result: float | str | Unscored) -> str:
    if isinstance(result, Unscored):
        return f"none: {result.reason}"
    return result if isinstance(result, str) else f"{result:.4g}"


def _cut(text: str) -> str:
    whole = storable(text)
    left = len(whole) - MOST_CHARACTERS
    return whole if left <= 0 else f"{whole[:MOST_CHARACTERS]}… [{left:,} more characters]"


def _parquet(scores: Sequence[AnswerScore]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        target = Path(folder, "scores.parquet")
        write_parquet(target, COLUMNS, map(_columns, scores))
        return target.read_bytes()


def _columns(score: AnswerScore) -> dict[str, Any]:
    result = score.result
    return {name: getattr(score, name) for name in COLUMNS if hasattr(score, name)} | {
        "score": result if isinstance(result, float | int) else None,
        "word": result if isinstance(result, str) else None,
        "unscored": result.reason if isinstance(result, Unscored) else None,
    }
