"""The figure of a run: panels that people paste into documents.

Built with Matplotlib's object interface, so that it works in a notebook, a function and a thread
alike, and drawn from the metrics alone: equal metrics give equal bytes.
"""

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nova_judge.findings import sentences
from nova_judge.findings.metrics_record import Metrics
from nova_judge.report import palette
from nova_judge.report.figure_frame import (
    ShownFigure,
    drawable,
    fixed_style,
    say_empty,
    title,
    write,
    write_foot,
)
from nova_judge.report.figure_intervals import plot_scores, plot_tournament
from nova_judge.report.figure_panels import (
    draw_comparison,
    draw_distribution,
    draw_gauge,
    draw_lines,
    draw_rates,
    draw_shares,
)
from nova_judge.report.key_figures import table_rows
from nova_judge.report.rates import named_rates

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
