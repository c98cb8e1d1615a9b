"""The table of figures: name and value, as the figure, the page and the summary all print them."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from nova_judge.report.figure_axes import write
from nova_judge.report.labels import drawable
from nova_judge.report.sentences import p_value, percent

Metrics = Mapping[str, Any]
LINES = 11  # room for so many; a shorter table keeps the height of its lines


def draw_table(axes: Axes, metrics: Metrics) -> bool:
    """The figures themselves, for reference."""
    rows = table_rows(metrics)
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(rows), LINES), 0)
    axes.axis("off")
    for place, (name, value) in enumerate(rows):
        if place % 2 == 0:
            axes.axhspan(place, place + 1, facecolor="#F3F5F7", linewidth=0)
        look: dict[str, Any] = {"va": "center", "size": 9}
        write(axes, 0.015, place + 0.5, drawable(name, 40), **look)
        write(axes, 0.985, place + 0.5, drawable(value, 44), ha="right", weight="bold", **look)
    return True


def table_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and value of each headline figure; what a run does not have is left out."""
    rows = [("Rows in the file", f"{metrics['rows']['input']:,}")] if metrics.get("rows") else []
    rows += _row_counts(metrics) + _rates(metrics) + _test(metrics) + _orders(metrics)
    return rows or [("Status", str(metrics["status"]))]


def _row_counts(metrics: Metrics) -> list[tuple[str, str]]:
    count = metrics.get("rows")
    if not count:
        return []
    told = [
        ("Judged", count["judged"]),
        ("Rejected", count["rejected"]),
        ("Without an answer", count["generation_failed"]),
        ("Without a verdict", count["judge_failed"]),
        ("Left over, judging stopped", count.get("not_judged")),
    ]
    return [(name, f"{number:,}") for name, number in told if number is not None]


def _rates(metrics: Metrics) -> list[tuple[str, str]]:
    rows = []
    for name, key in (("Win rate of B", "win_rate"), ("  decided pairs only", "win_rate_decisive")):
        rate = metrics.get(key)
        if rate:
            told = (
                f"{percent(rate['estimate'])}  [{rate['low'] * 100:.1f}, {rate['high'] * 100:.1f}]"
            )
            rows.append((name, told))
    return rows


def _test(metrics: Metrics) -> list[tuple[str, str]]:
    verdict = metrics.get("verdict")
    if not verdict:
        return []
    rows = [("Verdict", str(verdict["word"]))]
    if verdict.get("p_value") is not None:
        rows.append(("Exact sign test", p_value(verdict["p_value"])))
    if verdict.get("pairs_needed"):
        rows.append(("Further pairs needed", f"{verdict['pairs_needed']:,}"))
    return rows


def _orders(metrics: Metrics) -> list[tuple[str, str]]:
    positions = metrics.get("positions")
    if not positions:
        return []
    named = (
        ("First position preferred", "first_rate"),
        ("Same verdict in both orders", "consistency"),
    )
    return [
        (name, percent(positions[key])) for name, key in named if positions.get(key) is not None
    ]
