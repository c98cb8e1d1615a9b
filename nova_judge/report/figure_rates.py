"""The panels of the figure that show the win rate: intervals against 50 %, and the gauge."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import Rate, percent, short_interval
from nova_judge.report import palette
from nova_judge.report.figure_frame import bare, fill, plain, write
from nova_judge.report.rates import NamedRate


def draw_rates(axes: Axes, rates: Sequence[NamedRate]) -> bool:
    """Rates with their intervals against the line at 50 %, the first in ink; False without any."""
    if not rates:
        return False
    for place, (name, rate) in enumerate(rates):
        _draw_interval(axes, place, rate, palette.INK if place == 0 else palette.FAINT)
        write(axes, 0, place - 0.24, name, size=9, color=palette.FAINT)
        value = short_interval(rate, gap="  ")
        write(axes, 100, place - 0.24, value, size=9, ha="right", weight="bold")
    axes.axvline(50, color=palette.INK, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 100)
    axes.set_ylim(max(len(rates) - 0.4, 1.6), -0.6)
    axes.set_xticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.set_yticks([])
    plain(axes, "bottom")
    return True


def draw_gauge(axes: Axes, metrics: Metrics) -> bool:
    """The win rate of B as a half circle: the needle points left for A, right for B."""
    rate = metrics.win_rate
    if rate is None:
        return False
    axes.add_patch(Wedge((0, 0), 1, 90, 180, width=0.3, **fill(palette.A)))
    axes.add_patch(Wedge((0, 0), 1, 0, 90, width=0.3, **fill(palette.B)))
    low, high = (math.degrees(needle_angle(end)) for end in (rate.low, rate.high))
    axes.add_patch(Wedge((0, 0), 1.11, high, low, width=0.07, facecolor=palette.INK))
    angle = needle_angle(rate.estimate)
    axes.annotate(
        "",
        xy=(0.9 * math.cos(angle), 0.9 * math.sin(angle)),
        xytext=(0, 0),
        arrowprops={"arrowstyle": "-|>", "linewidth": 2.6, "color": palette.INK, "shrinkA": 0},
    )
    axes.plot([0], [0], "o", color=palette.INK, markersize=11)
    for x, y, mark in ((-1.25, -0.1, "A 0 %"), (0, 1.2, "50 %"), (1.25, -0.1, "B 100 %")):
        write(axes, x, y, mark, ha="center", size=9, color=palette.FAINT)
    write(axes, 0, -0.32, percent(rate.estimate), ha="center", size=19, weight="bold")
    bare(axes, (-0.42, 1.32))
    return True


def needle_angle(share: float) -> float:
    """A direction in radians: π (left) when A always wins, 0 (right) when B does."""
    return math.pi * (1 - share)


def _draw_interval(axes: Axes, place: int, rate: Rate, colour: str) -> None:
    low, high = 100 * rate.low, 100 * rate.high
    axes.plot([low, high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
    for end in (low, high):
        axes.plot([end, end], [place - 0.09, place + 0.09], color=colour, linewidth=1.5)
    axes.plot([100 * rate.estimate], [place], "o", color=colour, markersize=8)
