"""The panel that lists the figures themselves."""

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes

from nova_judge.findings.metrics_record import Metrics
from nova_judge.report.figure_axes import write
from nova_judge.report.figure_text import drawable
from nova_judge.report.key_figures import table_rows

LINES = 11  # room for so many; a shorter table keeps the height of its lines


def draw_table(axes: Axes, metrics: Metrics) -> bool:
    """The figures themselves, for reference."""
    return draw_lines(axes, table_rows(metrics))


def draw_lines(axes: Axes, rows: Sequence[tuple[str, str]]) -> bool:
    """Names and values, a line each."""
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(rows), LINES), 0)
    axes.axis("off")
    for place, (name, value) in enumerate(rows):
        if place % 2 == 0:
            axes.axhspan(place, place + 1, facecolor="#F3F5F7", linewidth=0)
        look = partial(write, axes, y=place + 0.5, va="center", size=9)
        look(x=0.015, text=drawable(name, 40))
        look(x=0.985, text=drawable(value, 44), ha="right", weight="bold")
    return True
