"""The figures of runs without two candidates: means or strengths, each with its interval."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    title,
    write,
    write_foot,
)
from nova_judge.report.panels import share_of_scale
from nova_judge.scores.metric_score import MetricScore
from nova_judge.statistics.win_rate import Interval

_COLOURS = {"A": palette.A, "base": palette.A, "B": palette.B, "customised": palette.B}


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
