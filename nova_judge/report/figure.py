"""The figure of a run: panels that people paste into documents.

Built with Matplotlib's object interface, so that it works in a notebook, a function and a thread
alike, and drawn from the metrics alone: equal metrics give equal bytes.
"""

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nova_judge.findings import sentences
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.tournament_record import Tournament
from nova_judge.report import palette
from nova_judge.report.figure_frame import (
    ShownFigure,
    drawable,
    fixed_style,
    plain,
    say_empty,
    title,
    write,
    write_foot,
)
from nova_judge.report.figure_panels import (
    draw_comparison,
    draw_distribution,
    draw_gauge,
    draw_lines,
    draw_rates,
    draw_shares,
)
from nova_judge.report.key_figures import named_rates, table_rows
from nova_judge.report.panels import share_of_scale
from nova_judge.scores.metric_score import MetricScore
from nova_judge.statistics.win_rate import Interval

__all__ = ["plot_judge_results"]


class Panel(NamedTuple):
    """One panel; `draw` says whether the run has the figures that it shows."""

    title: str
    note: str
    draw: Callable[[Axes, Metrics], bool]


PANELS = (
    Panel(
        "Score distribution",
        "rows; a flip is a pair judged differently in each order",
        draw_distribution,
    ),
    Panel(
        "Win rate of B",
        "0 % = A always wins, 100 % = B always wins",
        lambda axes, metrics: draw_rates(axes, named_rates(metrics)),
    ),
    Panel("Preference shares", "of the rows with a verdict in both orders", draw_shares),
    Panel("A against B", "rows won in both orders", draw_comparison),
    Panel("Win-rate gauge", "the arc outside is the interval", draw_gauge),
    Panel("Figures", "", lambda axes, metrics: draw_lines(axes, table_rows(metrics))),
)

_HEIGHT_IN = 9.6
_FURTHER_ROW_IN = 3.72
"""Inches of a figure with two rows of panels, and of each row more."""
_COLOURS = {"A": palette.A, "base": palette.A, "B": palette.B, "customised": palette.B}


def plot_judge_results(metrics: Metrics) -> Figure:
    """The panels of one run as a Matplotlib figure.

    Args:
        metrics: of a completed or a failed run; `open_report(path).metrics` reads them.

    Returns:
        A figure of 15 by 9.6 inches: counts per verdict, win rate with its interval and the line at
        50 %, preference shares, A against B with the margin, a gauge, and a table of the figures.
        Of a run that scored single answers, the figure of its means (see `plot_scores`), of one of
        many candidates that of their strengths.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> figure = plot_judge_results(metrics_of_job({"a_scores": 10, "b_scores": 40}))
    >>> figure.axes[1].get_title("left")
    'Win rate of B'
    """
    if metrics.scores is not None:
        return plot_scores(metrics)
    if metrics.tournament is not None:
        return plot_tournament(metrics, metrics.tournament)
    figure = draw_panels(metrics, PANELS)
    write_foot(figure, metrics, x=0.05)
    return figure


def draw_panels(metrics: Metrics, panels: Sequence[Panel]) -> Figure:
    """Panels, three in a row, under a heading with the verdict and the candidates' names."""
    rows = max(2, math.ceil(len(panels) / 3))
    height = _HEIGHT_IN + (rows - 2) * _FURTHER_ROW_IN
    scale = _HEIGHT_IN / height
    with fixed_style():
        figure = ShownFigure(figsize=(15, height), facecolor="white")
        place_of = {"left": 0.05, "right": 0.975, "top": 1 - 0.235 * scale, "bottom": 0.105 * scale}
        grid = figure.add_gridspec(rows, 3, **place_of, hspace=0.42, wspace=0.2)
        _draw_heading(figure, metrics, scale)
        for place, panel in enumerate(panels):
            axes = figure.add_subplot(grid[place // 3, place % 3])
            title(axes, panel.title, "" if metrics.one_order else panel.note)
            if not panel.draw(axes, metrics):
                say_empty(axes)
    return figure


def _draw_heading(figure: Figure, metrics: Metrics, scale: float) -> None:
    lines = textwrap.wrap(drawable(str(sentences.headline(metrics)), 420), 128)[:3]
    look = {"size": 13, "weight": "bold", "va": "top", "linespacing": 1.35}
    write(figure, 0.05, 1 - 0.028 * scale, "\n".join(lines), **look)
    for row, (side, candidate) in enumerate(metrics.candidates.items()):
        height = 1 - (0.11 + 0.027 * row) * scale
        write(figure, 0.05, height, "■", size=13, va="center", color=getattr(palette, side))
        name = f"{side}   {drawable(candidate.name, 110)}"
        write(figure, 0.066, height, name, size=11, va="center")


@contextmanager
def _named_rows(
    metrics: Metrics, names: Sequence[str], note: str, row_in: float
) -> Iterator[tuple[Figure, Axes]]:
    """A figure with a row of `row_in` inches for each name, in which the intervals are drawn."""
    with fixed_style():
        height = 2.3 + row_in * max(len(names), 1)
        figure = ShownFigure(figsize=(11, height), facecolor="white")
        # Room for three lines below, and on the right for the label of an interval that ends at 1.
        axes = figure.add_axes((0.24, 0.9 / height, 0.61, (height - 1.6) / height))
        title(axes, drawable(sentences.headline(metrics).words, 80), note)
        yield figure, axes
        axes.set_yticks(range(len(names)), [drawable(name, 34) for name in names])
        axes.set_ylim(max(len(names) - 0.5, 0.5), -0.6)
        plain(axes, "bottom")
        write_foot(figure, metrics, x=0.02, limit=165)


def plot_scores(metrics: Metrics) -> Figure:
    """Every mean with its interval, metric by metric, on the scale of the metric."""
    scored = [(score, score.interval) for score in metrics.scores or ()]
    measured = [(score, interval) for score, interval in scored if interval is not None]
    names = list(dict.fromkeys(score.metric for score, _ in measured))
    with _named_rows(metrics, names, "means with their intervals", 0.62) as (figure, axes):
        for place, name in enumerate(names):
            held = [(score, interval) for score, interval in measured if score.metric == name]
            for step, (score, interval) in enumerate(held):
                _draw_mean(axes, place + 0.24 * (step - (len(held) - 1) / 2), score, interval)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["lowest", "", "middle", "", "highest"])
    return figure


def _draw_mean(axes: Axes, height: float, score: MetricScore, interval: Interval) -> None:
    ends = (interval.low, interval.estimate, interval.high)
    low, middle, high = (share_of_scale(score.scale, value) for value in ends)
    colour = _COLOURS.get(score.subject, palette.INK)
    axes.plot([low, high], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot([middle], [height], "o", color=colour, markersize=7)
    label = f"{drawable(score.subject, 12)} {interval.estimate:.3f}"
    write(axes, high + 0.01, height, label, size=8.5, va="center", color=palette.FAINT)


def plot_tournament(metrics: Metrics, tournament: Tournament) -> Figure:
    """Strengths from the first to the last; the line is the average candidate."""
    standings = tournament.board.standings
    names = [one.name for one in standings]
    note = "log-odds against the average candidate, with intervals"
    with _named_rows(metrics, names, note, 0.45) as (figure, axes):
        axes.axvline(0, color=palette.LINE, linewidth=1)
        for place, one in enumerate(standings):
            axes.plot([one.low, one.high], [place, place], color=palette.INK, linewidth=3)
            axes.plot([one.strength], [place], "o", color=palette.INK, markersize=7)
            rank = str(one.rank) if one.rank else f"{one.best_rank}-{one.worst_rank}"
            label = f" rank {rank}"
            write(axes, one.high, place, label, size=8.5, va="center", color=palette.FAINT)
    return figure
