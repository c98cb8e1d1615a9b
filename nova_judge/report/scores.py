"""The files of a scoring run's report: page, summary, figure, scores and test cases."""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import matplotlib
import orjson
from matplotlib.figure import Figure

from nova_judge import __version__
from nova_judge.records import Rejected, Unscored
from nova_judge.report import palette, sentences
from nova_judge.report.figure import STYLE, render
from nova_judge.report.figure_axes import plain, title, write
from nova_judge.report.junit import render_junit
from nova_judge.report.labels import drawable
from nova_judge.report.markdown import escape
from nova_judge.report.page import MOST_REJECTED, asset, environment
from nova_judge.report.write import render_metrics
from nova_judge.score_headline import favours
from nova_judge.score_table import AnswerScore

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

Metrics = Mapping[str, Any]
_COLOURS = {"A": palette.A, "base": palette.A, "B": palette.B, "customised": palette.B}


def render_score_report(
    metrics: Metrics, scores: Sequence[AnswerScore], rejected: Iterable[Rejected] = ()
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the report; equal input gives equal bytes."""
    yield "metrics.json", render_metrics(metrics)
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
            favours=favours,
            share=_share,
            rows_shown=rows,
            rows_held=len({score.row for score in scores}),
            version=__version__,
        )
    )


def render_score_markdown(metrics: Metrics) -> str:
    """The result as GitHub Markdown, for a pull request."""
    told = sentences.headline(metrics)
    lines = [
        f"| {escape(f['subject'])} | {escape(f['metric'])} | {_number(f['estimate'])} | "
        f"{_ends(f)} | {f['rows']:,} | {f['unscored']:,} |"
        for f in metrics.get("scores", ())
    ]
    differences = [
        f"| {escape(d['metric'])} | {_number(d['estimate'], '+')} | {_ends(d, '+')} | "
        f"{favours(d) or 'not shown'} |"
        for d in metrics.get("differences", ())
    ]
    table = ["| of | metric | mean | interval | rows | unscored |", "|---|---|---|---|---|---|"]
    parts = [
        f"## {escape(told.words, 200)}",
        escape(told.evidence, 2000),
        "\n".join([*table, *lines]),
        "\n".join(
            ["| metric | difference | interval | better |", "|---|---|---|---|", *differences]
        )
        if differences
        else "",
        "\n".join(f"- {escape(note, 600)}" for note in metrics["notes"]),
        f"{sentences.rows(metrics)}.{_stand_in(metrics)} Run `{metrics['run_id']}`, recipe "
        f"{escape(metrics['recipe']['name'])}, {metrics['created']}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _stand_in(metrics: Metrics) -> str:
    """A figure of a stand-in must not be pasted anywhere as the model's."""
    judge = metrics["judge"]
    if not judge.get("stand_in"):
        return ""
    return f" {escape(str(judge['model']))} was stood in for by {escape(judge['stand_in'])}."


def plot_scores(metrics: Metrics) -> Figure:
    """Every mean with its interval, metric by metric, on the scale of the metric."""
    figures = [f for f in metrics.get("scores", ()) if f["estimate"] is not None]
    names = list(dict.fromkeys(f["metric"] for f in figures))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)  # type: ignore[arg-type]
        figure = Figure(figsize=(11, 1.9 + 0.62 * max(len(names), 1)), facecolor="white")
        axes = figure.add_axes((0.24, 0.14, 0.72, 0.68))
        title(axes, drawable(sentences.headline(metrics).words, 110), "means with their intervals")
        for place, name in enumerate(names):
            held = [f for f in figures if f["metric"] == name]
            for step, entry in enumerate(held):
                _draw(axes, place + 0.24 * (step - (len(held) - 1) / 2), entry)
        axes.set_yticks(range(len(names)), [drawable(name, 34) for name in names])
        axes.set_ylim(max(len(names) - 0.5, 0.5), -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["lowest", "", "middle", "", "highest"])
        plain(axes, "bottom")
        said = f"run {metrics['run_id']}   ·   {sentences.rows(metrics)}"
        write(figure, 0.02, 0.02, drawable(said, 150), size=8, color=palette.FAINT)
    return figure


def _draw(axes: Any, height: float, entry: Metrics) -> None:  # noqa: ANN401 - Axes
    low, middle, high = (_share(entry, entry[key]) for key in ("low", "estimate", "high"))
    colour = _COLOURS.get(entry["subject"], palette.INK)
    axes.plot([low, high], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot([middle], [height], "o", color=colour, markersize=7)
    told = f"{drawable(entry['subject'], 12)} {entry['estimate']:.3f}"
    write(axes, high + 0.01, height, told, size=8.5, va="center", color=palette.FAINT)


def _share(entry: Metrics, value: float) -> float:
    """Where a value lies between the ends of its metric's scale, in [0, 1]."""
    low, high = entry["scale"]
    return (value - low) / (high - low) if high > low else 0.5


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"


def _ends(entry: Metrics, sign: str = "") -> str:
    if entry["low"] is None:
        return escape(str(entry["method"]))
    return f"{entry['low']:{sign}.3f} to {entry['high']:{sign}.3f}"


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
    whole = text.encode("utf-8", "replace").decode()
    left = len(whole) - MOST_CHARACTERS
    return whole if left <= 0 else f"{whole[:MOST_CHARACTERS]}… [{left:,} more characters]"


def _parquet(scores: Sequence[AnswerScore]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        lines, target = Path(folder, "scores.jsonl"), Path(folder, "scores.parquet")
        with lines.open("wb") as file:
            for score in scores:
                file.write(orjson.dumps(_columns(score), option=orjson.OPT_APPEND_NEWLINE))
        with duckdb.connect(
            config={"threads": 1, "autoinstall_known_extensions": False}
        ) as connection:
            connection.execute(
                "COPY (SELECT * FROM read_json($lines, format = 'newline_delimited', "
                "columns = $columns, maximum_object_size = 268435456)) "
                "TO $target (FORMAT parquet, COMPRESSION zstd)",
                {"lines": str(lines), "columns": COLUMNS, "target": str(target)},
            )
        return target.read_bytes()


def _columns(score: AnswerScore) -> dict[str, Any]:
    result = score.result
    columns = {name: getattr(score, name) for name in COLUMNS if hasattr(score, name)} | {
        "score": result if isinstance(result, float | int) else None,
        "word": result if isinstance(result, str) else None,
        "unscored": result.reason if isinstance(result, Unscored) else None,
    }
    return {
        name: _SURROGATES.sub("\ufffd", value) if isinstance(value, str) else value
        for name, value in columns.items()
    }


_SURROGATES = re.compile("[\ud800-\udfff]")
