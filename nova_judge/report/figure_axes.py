"""Parts that all panels of the figure share: titles, plain axes, text never read as mathematics."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nova_judge.report import palette


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
