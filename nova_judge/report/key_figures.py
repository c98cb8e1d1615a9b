"""Name and value of the figures that the figure, the page, the summary and the terminal print."""

from collections.abc import Mapping
from typing import Any

from nova_judge.findings.sentences import p_value, percent

Metrics = Mapping[str, Any]


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
        test = str(verdict["test"]).partition(" (")[0]
        rows.append((f"{test[:1].upper()}{test[1:]}", p_value(verdict["p_value"])))
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
