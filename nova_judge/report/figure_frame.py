"""Frame that all figures share: their style, and the lines at their foot."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
from matplotlib.figure import Figure

from nova_judge.findings import sentences, sentences_stand_in
from nova_judge.findings.metrics_record import Metrics
from nova_judge.report import palette
from nova_judge.report.figure_axes import write
from nova_judge.report.figure_text import FIGURE_FONT, drawable

_FOOT_IN = 0.2
_STYLE = {
    "font.family": FIGURE_FONT,
    "font.size": 10,
    "svg.hashsalt": "nova-judge",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "text.color": palette.INK,
    "hatch.linewidth": 0.6,
    "axes.titley": 1.0,  # where titles are anyway: else every axis is laid out twice to find out
    "axes.edgecolor": palette.LINE,
    "axes.labelcolor": palette.FAINT,
    "xtick.color": palette.FAINT,
    "ytick.color": palette.FAINT,
}


DOTS_PER_INCH = 150


class ShownFigure(Figure):
    """A figure that a notebook shows as the last line of a cell, without `%matplotlib inline`."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


def render(figure: Figure, form: str) -> bytes:
    """The figure as `png` or `svg` without date or version: equal input gives equal bytes."""
    target = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    with fixed_style():
        figure.savefig(target, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    return target.getvalue()


@contextmanager
def fixed_style() -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever a user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]
        yield


def write_foot(figure: Figure, metrics: Metrics, x: float, limit: int = 200) -> None:
    """Write which run this is, and above it who stood in: a figure is pasted without its page."""
    parts = [
        f"run {metrics.run_id}",
        f"{sentences_stand_in.role(metrics).lower()} {metrics.judge.model}",
        metrics.created,
        sentences.rows(metrics),
    ]
    lines = [*map(str, sentences_stand_in.caveats(metrics)), "   ·   ".join(parts)]
    write_lines(figure, lines, x, limit)


def write_lines(figure: Figure, lines: Sequence[str], x: float, limit: int = 200) -> None:
    """Write lines at the foot of a figure."""
    foot = "\n".join(drawable(line, limit) for line in lines)
    write(figure, x, _FOOT_IN / figure.get_figheight(), foot, size=8, color=palette.FAINT)
