"""What all figures and their panels share: style, foot, titles, axes, and text as it stands."""

import functools
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from nova_judge.findings import sentences, sentences_stand_in
from nova_judge.findings.metrics_record import Metrics
from nova_judge.report import palette
from nova_judge.text import one_line

FIGURE_FONT = "DejaVu Sans"  # ships inside matplotlib, so a figure looks the same everywhere
MISSING_GLYPH = "□"
DOTS_PER_INCH = 150
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


def write(on: Axes | Figure, x: float, y: float, text: str, **how: Any) -> None:  # noqa: ANN401
    """Text as it stands: `$` and `_` in a name are never read as mathematics."""
    on.text(x, y, text, parse_math=False, **how)


def title(axes: Axes, name: str, note: str) -> None:
    """The panel's name, and under it what it counts."""
    axes.set_title(name, loc="left", fontsize=12, fontweight="bold", pad=22)
    axes.text(0, 1.025, note, transform=axes.transAxes, fontsize=9, color=palette.FAINT)


def fill(colour: str, edge: str = palette.INK) -> dict[str, Any]:
    """Colour, edge and hatching of one kind of verdict."""
    hatch = palette.HATCH.get(colour)
    if hatch is None:
        return {"facecolor": colour, "edgecolor": edge, "linewidth": 0.8}
    return {"facecolor": colour, "edgecolor": palette.FAINT, "linewidth": 0.8, "hatch": hatch}


def plain(axes: Axes, kept: str) -> None:
    """Only the bottom line and the one named."""
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_visible(side in {kept, "bottom"})
    axes.tick_params(length=0)


def bare(axes: Axes, up: tuple[float, float]) -> None:
    """No axes, and one unit across as long as one unit up, so that circles stay round."""
    across = (up[1] - up[0]) * axes.bbox.width / axes.bbox.height
    axes.set_xlim(-across / 2, across / 2)
    axes.set_ylim(*up)
    axes.axis("off")


def say_empty(axes: Axes) -> None:
    """In place of a panel whose figures the run does not have."""
    axes.axis("off")
    write(axes, 0.5, 0.5, "no figures", transform=axes.transAxes, ha="center", color=palette.FAINT)


def drawable(text: str, limit: int) -> str:
    """`one_line` with a box for each character that the figure's font cannot draw."""
    glyphs = _glyphs()
    return "".join(char if ord(char) in glyphs else MISSING_GLYPH for char in one_line(text, limit))


@functools.cache
def _glyphs() -> frozenset[int]:
    path = findfont(FontProperties(family=FIGURE_FONT))
    return frozenset(get_font(path).get_charmap())
