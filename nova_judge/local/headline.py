"""The headline of a run, out of its `metrics.json`."""

from pathlib import Path
from typing import Any, NamedTuple

import orjson

METRICS = "report/metrics.json"
REPORT = "report/report.html"


class Headline(NamedTuple):
    """What a person wants to know first: sentences, and where the report lies if there is one."""

    verdict: str
    lines: tuple[str, ...]
    report: Path | None


def headline(folder: Path) -> Headline | None:
    """The headline of the run in `folder`; None when it left no metrics."""
    file = folder / METRICS
    if not file.is_file():
        return None
    metrics: dict[str, Any] = orjson.loads(file.read_bytes())
    report = folder / REPORT
    told = metrics.get("headline") or {}
    verdict = (metrics.get("verdict") or told).get("sentence") or told.get("words")
    evidence = [told["evidence"]] if told else []
    lines = [*evidence, *_win_rate(metrics), *_counts(metrics), *_agreement(metrics)]
    said = verdict or f"Run {metrics['status']}."
    return Headline(said, tuple(lines), report if report.is_file() else None)


def _win_rate(metrics: dict[str, Any]) -> list[str]:
    rate = metrics.get("win_rate")
    if not rate:
        return []
    return [
        f"Win rate of B: {rate['estimate']:.1%}"
        f" ({rate['level']:.0%} interval {rate['low']:.1%} to {rate['high']:.1%})"
    ]


def _counts(metrics: dict[str, Any]) -> list[str]:
    rows, both = metrics["rows"], metrics.get("reconciled")
    left = {name: count for name, count in rows.items() if name != "input"}
    lines = [
        f"Rows: {rows['input']} read = "
        + " + ".join(f"{count} {name.replace('_', ' ')}" for name, count in left.items())
    ]
    if both:
        lines.append(
            f"Both orders together: A {both['a']}, B {both['b']}, ties {both['ties']},"
            f" inconsistent {both['inconsistent']}, without verdict {both['errors']}"
        )
    return lines


def _agreement(metrics: dict[str, Any]) -> list[str]:
    agreement = metrics.get("agreement")
    if not agreement:
        return []
    return [
        f"Agreement with labels: forward {agreement['forward']:.4f},"
        f" strict {agreement['strict']:.4f}, consistency {agreement['consistency']:.4f}"
    ]
