"""The figure of a run of many candidates: every strength with its interval."""

from matplotlib.figure import Figure

from nova_judge.findings import sentences
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.tournament_record import Tournament
from nova_judge.report import palette
from nova_judge.report.figure_axes import plain, title, write
from nova_judge.report.figure_frame import ShownFigure, fixed_style, write_foot
from nova_judge.report.figure_text import drawable


def plot_tournament(metrics: Metrics, tournament: Tournament) -> Figure:
    """Strengths from the first to the last; the line is the average candidate."""
    standings = tournament.board.standings
    with fixed_style():
        height = 2.3 + 0.45 * max(len(standings), 1)
        figure = ShownFigure(figsize=(11, height), facecolor="white")
        axes = figure.add_axes((0.24, 0.9 / height, 0.61, (height - 1.6) / height))
        words = drawable(sentences.headline(metrics).words, 80)
        title(axes, words, "log-odds against the average candidate, with intervals")
        axes.axvline(0, color=palette.LINE, linewidth=1)
        for place, one in enumerate(standings):
            axes.plot([one.low, one.high], [place, place], color=palette.INK, linewidth=3)
            axes.plot([one.strength], [place], "o", color=palette.INK, markersize=7)
            rank = str(one.rank) if one.rank else f"{one.best_rank}-{one.worst_rank}"
            label = f" rank {rank}"
            write(axes, one.high, place, label, size=8.5, va="center", color=palette.FAINT)
        names = [drawable(one.name, 34) for one in standings]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(max(len(names) - 0.5, 0.5), -0.6)
        plain(axes, "bottom")
        write_foot(figure, metrics, x=0.02, limit=165)
    return figure
