"""The figure of a scoring run: every mean with its interval."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from nova_judge.findings import sentences
from nova_judge.report import palette
from nova_judge.report.figure_axes import plain, title, write
from nova_judge.report.figure_frame import fixed_style, write_foot
from nova_judge.report.figure_text import drawable

Metrics = Mapping[str, Any]
_COLOURS = {"A": palette.A, "base": palette.A, "B": palette.B, "customised": palette.B}


def plot_scores(metrics: Metrics) -> Figure:
    """Every mean with its interval, metric by metric, on the scale of the metric."""
    figures = [f for f in metrics.get("scores", ()) if f["estimate"] is not None]
    names = list(dict.fromkeys(f["metric"] for f in figures))
    with fixed_style():
        height = 2.3 + 0.62 * max(len(names), 1)
        figure = Figure(figsize=(11, height), facecolor="white")
        # Room for three lines below, and on the right for the label of an interval that ends at 1.
        axes = figure.add_axes((0.24, 0.9 / height, 0.61, (height - 1.6) / height))
        title(axes, drawable(sentences.headline(metrics).words, 80), "means with their intervals")
        for place, name in enumerate(names):
            held = [f for f in figures if f["metric"] == name]
            for step, entry in enumerate(held):
                _draw(axes, place + 0.24 * (step - (len(held) - 1) / 2), entry)
        axes.set_yticks(range(len(names)), [drawable(name, 34) for name in names])
        axes.set_ylim(max(len(names) - 0.5, 0.5), -0.6)
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["lowest", "", "middle", "", "highest"])
        plain(axes, "bottom")
        write_foot(figure, metrics, x=0.02, limit=165)
    return figure


def _draw(axes: Any, height: float, entry: Metrics) -> None:  # noqa: ANN401 - Axes
    low, middle, high = (share_of_scale(entry, entry[key]) for key in ("low", "estimate", "high"))
    colour = _COLOURS.get(entry["subject"], palette.INK)
    axes.plot([low, high], [height, height], color=colour, linewidth=3, solid_capstyle="butt")
    axes.plot([middle], [height], "o", color=colour, markersize=7)
    told = f"{drawable(entry['subject'], 12)} {entry['estimate']:.3f}"
    write(axes, high + 0.01, height, told, size=8.5, va="center", color=palette.FAINT)


def share_of_scale(entry: Metrics, value: float) -> float:
    """Where a value lies between the ends of its metric's scale, in [0, 1]."""
    low, high = entry["scale"]
    return (value - low) / (high - low) if high > low else 0.5
