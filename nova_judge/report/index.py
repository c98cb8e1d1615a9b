"""`index.html`: all runs of a folder, in series that may be compared, with their trend."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.sentences import headline
from nova_judge.findings.trends import Refused, Series
from nova_judge.report.page import render
from nova_judge.statistics.decision import Word

MOST_IN_A_TREND = 5


class Entry(NamedTuple):
    """One run as a line of the index; `link` is relative to the index page, or empty.

    place: the run's folder below the index. word: the verdict, or what a run without one is. chip:
    the verdict's look. data: the name of the input file.
    """

    metrics: Metrics
    place: str
    word: str
    words: str
    chip: str
    link: str
    data: str


class SeriesTrend(NamedTuple):
    """Runs that may be compared, and how their figures moved."""

    title: str
    about: str
    runs: int
    rate: "Trend | None"
    criteria: "list[Trend]"


class Point(NamedTuple):
    """A run in a trend, in percent of the drawing's width and height."""

    x: float
    y: float
    low: float
    high: float


class Trend(NamedTuple):
    """A figure over the runs of a series, scaled to what it needs and to `level`, its neutral."""

    name: str
    points: list[Point]
    top: float
    bottom: float
    neutral: float
    first: float
    last: float


def render_index(
    series: Sequence[Series],
    folder: Path,
    refused: Sequence[Refused] = (),
    *,
    comparable: bool = False,
    remote: bool = False,
) -> str:
    """The index page of a folder; links go to the reports below it, by relative path.

    `comparable`: the page's server compares two of them. `remote`: their pages come when asked for.
    """
    reports = [report for one in series for report in one]
    newest = sorted(reports, key=lambda report: report.metrics.created, reverse=True)
    entries = [_entry(report, folder, remote=remote) for report in newest]
    return render(
        "index.html.j2",
        scripts=["index.js"],
        folder=folder.name or str(folder),
        entries=entries,
        verdicts=sorted({entry.word for entry in entries}),
        recipes=sorted({entry.metrics.recipe.name for entry in entries}),
        comparable=comparable,
        trends=[_series_trend(one) for one in series if len(one) > 1],
        refused=[(item.report.metrics.run_id, item.difference) for item in refused],
    )


def _series_trend(series: Series) -> SeriesTrend:
    last = series[-1].metrics
    about = [f"judge {last.judge.model}", last.input.uri]
    if (baseline := last.name("A")) is not None:
        about.insert(1, f"baseline {baseline}")
    title = f"{_data(last)} · {last.recipe.name}" + (f" · against {baseline}" if baseline else "")
    return SeriesTrend(
        title,
        ", ".join(about),
        len(series),
        win_rate_trend(series),
        criterion_trends(series),
    )


def win_rate_trend(series: Series) -> Trend | None:
    """The win rate of B with its interval over the runs; None below two."""
    rates = [report.metrics.win_rate for report in series]
    placed = [
        (place, rate.estimate, rate.low, rate.high) for place, rate in enumerate(rates) if rate
    ]
    return _trend("win rate of B", placed, len(rates), neutral=0.5)


def criterion_trends(series: Series) -> list[Trend]:
    """The mean difference B less A of every criterion that all runs with a rubric have.

    It lies on a scale from 0 to 1; of many criteria the most used.
    """
    runs = [
        {each.name: each.mean_B - each.mean_A for each in rubric.criteria} if rubric else {}
        for rubric in (report.metrics.rubric for report in series)
    ]
    scored = [run for run in runs if run]
    common = [name for name in scored[-1] if all(name in run for run in scored)] if scored else []
    trends = []
    for name in common[:MOST_IN_A_TREND]:
        values = [(place, run[name]) for place, run in enumerate(runs) if name in run]
        placed = [(place, value, value, value) for place, value in values]
        trend = _trend(name, placed, len(runs), neutral=0.0)
        if trend is not None:
            trends.append(trend)
    return trends


def _trend(
    name: str, measured: list[tuple[int, float, float, float]], runs: int, neutral: float
) -> Trend | None:
    if len(measured) < 2:
        return None
    values = [neutral, *(value for _, *ends in measured for value in ends)]
    reach = max(values) - min(values) or 1.0
    bottom, top = min(values) - 0.15 * reach, max(values) + 0.15 * reach

    def height(value: float) -> float:
        return round(100 * (top - value) / (top - bottom), 2)

    points = [
        Point(round(100 * (place + 0.5) / runs, 2), height(value), height(low), height(high))
        for place, value, low, high in measured
    ]
    return Trend(name, points, top, bottom, height(neutral), measured[0][1], measured[-1][1])


def place_of(report: SavedReport, folder: Path) -> str:
    """The run's folder below another, as a person would name it."""
    run = report.folder.parent if report.folder.name == "report" else report.folder
    place = "/".join(Path(os.path.relpath(run, folder)).parts)
    return run.resolve().name if place == "." else place


def _entry(report: SavedReport, folder: Path, *, remote: bool) -> Entry:
    page, metrics = report.folder / "report.html", report.metrics
    link = ""
    if remote or page.is_file():
        link = "/".join(Path(os.path.relpath(page, folder)).parts)
    words = headline(metrics).words
    word = str(metrics.verdict.word) if metrics.verdict else words
    if not metrics.completed:
        word = "failed"
    chip = {Word.A_BETTER: "A", Word.B_BETTER: "B"}.get(
        metrics.verdict.word if metrics.verdict else Word.INCONCLUSIVE, "none"
    )
    place = place_of(report, folder)
    return Entry(metrics, place, word, words, chip, link, _data(metrics))


def _data(metrics: Metrics) -> str:
    """The input file's name; what the run says instead where it read none."""
    return metrics.input.uri.rstrip("/").rpartition("/")[2] or metrics.input.uri
