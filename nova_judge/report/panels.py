"""Shapes of the page's panels: where slices, arcs and the needle lie, in SVG user units."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.rubric_record import CriterionFigures
from nova_judge.findings.sentences import Rate
from nova_judge.statistics.metric_means import Scale
from nova_judge.statistics.outcomes import ReconciledTally

OUTCOMES = {
    "a": "A",
    "b": "B",
    "ties": "tie",
    "inconsistent": "flip",
    "errors": "error",
}
_SCALES = (0.1, 0.25, 0.5, 1.0)


class RingSlice(NamedTuple):
    """A slice of the ring with its share of all rows that have both verdicts."""

    outcome: str
    name: str
    rows: int
    share: float
    path: str


class Duel(NamedTuple):
    """A figure of A and of B, and how it is printed."""

    name: str
    won: Mapping[str, float]
    unit: str


class Gauge(NamedTuple):
    """The end of the needle, and the arc of the interval."""

    x: float
    y: float
    arc: str


def ring(counts: ReconciledTally, inner: float = 58, outer: float = 100) -> list[RingSlice]:
    """The slices of the preference shares, clockwise from the top, without rows with errors."""
    parts = {key: rows for key in OUTCOMES if key != "errors" and (rows := getattr(counts, key))}
    total = sum(parts.values())
    slices, start = [], 0.0
    for key, rows in parts.items():
        share = rows / total
        path = _ring_path(start, min(start + share, start + 0.99999), inner, outer)
        slices.append(RingSlice(key, OUTCOMES[key], rows, share, path))
        start += share
    return slices


def duels(metrics: Metrics) -> list[Duel]:
    """A beside B: rows won in both orders and in either, and the weighted scores of a rubric."""
    orders = (
        ("Rows won" if metrics.one_order else "Both orders", metrics.reconciled),
        ("A shown first", None if metrics.one_order else metrics.forward),
        ("B shown first", metrics.backward),
    )
    duels = [Duel(name, {"a": won.a, "b": won.b}, "{:,}") for name, won in orders if won]
    rubric = metrics.rubric
    if rubric is not None and rubric.weighted_score_A and rubric.weighted_score_B:
        means = {"a": rubric.weighted_score_A.mean, "b": rubric.weighted_score_B.mean}
        duels.append(Duel("Mean weighted score in the order A, B, 0 to 1", means, "{:.3f}"))
    return duels


def reach(criteria: Sequence[CriterionFigures]) -> float:
    """Half the width of a scale around 0 that holds the interval of every margin."""
    margins = [each.margin for each in criteria if each.margin]
    ends = [abs(end) for margin in margins for end in (margin.low, margin.high)]
    return next((scale for scale in _SCALES if scale >= max(ends, default=0)), _SCALES[-1])


def gauge(rate: Rate) -> Gauge:
    """The needle points left where A always wins and right where B does."""
    x, y = _on_half_circle(rate.estimate, 82)
    (from_x, from_y), (to_x, to_y) = (_on_half_circle(end, 109) for end in (rate.low, rate.high))
    return Gauge(x, y, f"M{from_x} {from_y}A109 109 0 0 1 {to_x} {to_y}")


def share_of_scale(scale: Scale, value: float) -> float:
    """Place of a value between the ends of its metric's scale, in [0, 1]."""
    return (value - scale.low) / scale.width if scale.width > 0 else 0.5


def _on_half_circle(share: float, radius: float) -> tuple[float, float]:
    angle = math.pi * (1 - share)
    return round(radius * math.cos(angle), 2), round(-radius * math.sin(angle), 2)


def _ring_path(start: float, end: float, inner: float, outer: float) -> str:
    large = int(end - start > 0.5)
    (ax, ay), (bx, by) = _on_circle(start, outer), _on_circle(end, outer)
    (cx, cy), (dx, dy) = _on_circle(end, inner), _on_circle(start, inner)
    return (
        f"M{ax} {ay}A{outer} {outer} 0 {large} 1 {bx} {by}"
        f"L{cx} {cy}A{inner} {inner} 0 {large} 0 {dx} {dy}Z"
    )


def _on_circle(share: float, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * share
    return round(radius * math.sin(angle), 2), round(-radius * math.cos(angle), 2)
