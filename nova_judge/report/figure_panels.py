"""Panels of the figure: counts, shares, A against B, intervals against 50 %, gauge, table."""

import math
from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.patches import Wedge
from msgspec.structs import asdict

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import Rate, lead, percent, short_interval, weighted_scores
from nova_judge.report import palette
from nova_judge.report.figure_frame import bare, drawable, fill, plain, write
from nova_judge.report.key_figures import NamedRate
from nova_judge.report.panels import OUTCOMES as NAMES

_COLOURS = (palette.A, palette.B, palette.TIE, palette.FLIP, palette.ERROR)
OUTCOMES = [(*named, colour) for named, colour in zip(NAMES.items(), _COLOURS, strict=True)]
VERDICTS = OUTCOMES[:-1]
_LINES = 11  # room for so many; a shorter table keeps the height of its lines


def draw_distribution(axes: Axes, metrics: Metrics) -> bool:
    """Rows by the verdict of both orders together, with marks for either order alone."""
    if metrics.reconciled is None:
        return False
    counts = asdict(metrics.reconciled)
    orders = [asdict(order) for order in (metrics.forward, metrics.backward) if order]
    highest = max([1, *counts.values(), *(most for order in orders for most in order.values())])
    for place, (key, _, colour) in enumerate(OUTCOMES):
        axes.bar(place, counts[key], 0.62, **fill(colour))
        rows = f"{counts[key]:,}"
        write(axes, place, counts[key] + highest * 0.02, rows, ha="center", weight="bold")
    if not metrics.one_order:
        _mark_orders(axes, metrics)
    axes.set_ylim(0, highest * 1.18)
    axes.set_xticks(range(len(OUTCOMES)), [label for _, label, _ in OUTCOMES], color=palette.INK)
    plain(axes, "left")
    return True


def draw_shares(axes: Axes, metrics: Metrics) -> bool:
    """Shares of the rows that got a verdict in both orders."""
    counts = asdict(metrics.reconciled) if metrics.reconciled else {}
    total = sum(counts.get(key, 0) for key, _, _ in VERDICTS)
    if not total:
        return False
    start = 90.0
    for key, label, colour in VERDICTS:
        if not counts[key]:
            continue
        end = start - 360 * counts[key] / total
        axes.add_patch(Wedge((0, 0), 1, end, start, width=0.42, **fill(colour, edge="white")))
        middle = math.radians((start + end) / 2)
        x, y = 1.12 * math.cos(middle), 1.12 * math.sin(middle)
        share = f"{label} {percent(counts[key] / total)}"
        write(axes, x, y, share, ha="left" if x > 0 else "right", va="center", weight="bold")
        start = end
    decided = percent((counts["a"] + counts["b"]) / total, 0)
    write(axes, 0, 0.1, decided, ha="center", va="center", size=19, weight="bold")
    write(axes, 0, -0.17, "decided", ha="center", va="center", color=palette.FAINT)
    bare(axes, (-1.15, 1.15))
    return True


def draw_comparison(axes: Axes, metrics: Metrics) -> bool:
    """Wins of A and B side by side with the margin, and the weighted scores of a rubric."""
    if metrics.reconciled is None:
        return False
    a, b = metrics.reconciled.a, metrics.reconciled.b
    highest = max(a, b, 1)
    for place, (wins, colour) in enumerate(((a, palette.A), (b, palette.B))):
        axes.bar(place, wins, 0.55, **fill(colour))
        write(axes, place, wins + highest * 0.02, f"{wins:,}", ha="center", weight="bold", size=12)
    write(axes, 0.5, highest * 1.22, lead(metrics), ha="center", size=11, weight="bold")
    scores = weighted_scores(metrics)
    if scores:
        write(axes, 0.5, highest * 1.13, scores, ha="center", size=8, color=palette.FAINT)
    axes.set_ylim(0, highest * 1.34)
    axes.set_xlim(-0.6, 1.6)
    axes.set_xticks([0, 1], ["A", "B"], color=palette.INK)
    plain(axes, "left")
    return True


def _mark_orders(axes: Axes, metrics: Metrics) -> None:
    marks = (
        (metrics.forward, -0.2, ">", "A shown first"),
        (metrics.backward, 0.2, "<", "B shown first"),
    )
    for order, shift, shape, name in marks:
        counts = asdict(order) if order else {}
        drawn = [(place, key) for place, (key, _, _) in enumerate(OUTCOMES) if key in counts]
        axes.plot(
            [place + shift for place, _ in drawn],
            [counts[key] for _, key in drawn],
            shape,
            label=name,
            markerfacecolor="white",
            markeredgecolor=palette.INK,
            markersize=6,
        )
    if metrics.forward or metrics.backward:
        axes.legend(loc="upper right", frameon=False, fontsize=8.5, handletextpad=0.1)


def draw_lines(axes: Axes, rows: Sequence[tuple[str, str]]) -> bool:
    """Names and values, a line each."""
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(rows), _LINES), 0)
    axes.axis("off")
    for place, (name, value) in enumerate(rows):
        if place % 2 == 0:
            axes.axhspan(place, place + 1, facecolor="#F3F5F7", linewidth=0)
        look = partial(write, axes, y=place + 0.5, va="center", size=9)
        look(x=0.015, text=drawable(name, 40))
        look(x=0.985, text=drawable(value, 44), ha="right", weight="bold")
    return True


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
