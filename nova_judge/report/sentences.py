"""Every sentence a report says about a result, each checked against the figures it stands on.

A sentence that the figures do not carry is never written: `UnsupportedClaimError` names both.
"""

from collections.abc import Mapping
from typing import Any

from nova_judge.errors import UnsupportedClaimError

Metrics = Mapping[str, Any]


def percent(share: float, digits: int = 1) -> str:
    """0.632 → `63.2 %`."""
    return f"{share * 100:.{digits}f} %"


def interval(rate: Metrics) -> str:
    """The interval of a rate with its level: `95 % interval 57.6 to 68.5 %`."""
    _require(
        0 <= rate["low"] <= rate["estimate"] <= rate["high"] <= 1,
        "an interval must hold its estimate",
        rate,
    )
    low, high = f"{rate['low'] * 100:.1f}", percent(rate["high"])
    return f"{rate['level'] * 100:g} % interval {low} to {high}"


def p_value(value: float) -> str:
    """A p-value as people write it: `p = .034`, `p < .001`."""
    return "p < .001" if value < 0.001 else f"p = {value:.3f}".replace("0.", ".")


def headline(metrics: Metrics) -> str:
    """The verdict with its evidence, or why there is none."""
    if metrics["status"] != "completed":
        return failure(metrics)
    if metrics.get("win_rate") is None or metrics.get("verdict") is None:
        return "No verdict: this run has no pairwise win rate."
    claim = _CLAIMS.get(metrics["verdict"]["word"], _other)
    return f"{claim(metrics)} {win_rate(metrics)}"


def failure(metrics: Metrics) -> str:
    """Where and why a run failed."""
    told = metrics.get("failure") or {}
    stage, reason = told.get("stage") or "an unnamed stage", told.get("reason") or "no reason given"
    return f"The run failed in {stage}: {reason}"


def win_rate(metrics: Metrics) -> str:
    """The win rate of B with its interval and where that lies relative to 50 %."""
    rate = metrics["win_rate"]
    where = "which includes 50 %"
    if rate["low"] > 0.5:
        where = "above 50 %"
    elif rate["high"] < 0.5:
        where = "below 50 %"
    return f"Win rate of B {percent(rate['estimate'])} ({interval(rate)}, {where})."


def rows(metrics: Metrics) -> str:
    """How many of how many rows were judged; refuses a sum that does not close."""
    count = metrics["rows"]
    left_out = {
        "rejected": count["rejected"],
        "without an answer": count["generation_failed"],
        "without a verdict": count["judge_failed"],
    }
    _require(
        count["input"] == count["judged"] + sum(left_out.values()), "the rows must add up", count
    )
    told = ", ".join(f"{number} {what}" for what, number in left_out.items() if number)
    return f"{count['judged']} of {count['input']} rows judged" + (f" ({told})" if told else "")


def weighted_scores(metrics: Metrics) -> str | None:
    """The mean weighted scores of a rubric and their margin, A less B as AWS defines it."""
    rubric = metrics.get("rubric") or {}
    a, b = (_mean(rubric.get(f"weighted_score_{side}")) for side in "AB")
    if a is None or b is None:
        return None
    favours = f"favours {'A' if a > b else 'B'}" if a != b else "level"
    return f"weighted scores A {a:.3f}, B {b:.3f}; margin {a - b:+.3f} ({favours})"


def _mean(score: Any) -> float | None:  # noqa: ANN401  a bare mean or one with its interval
    found = score.get("estimate") if isinstance(score, Mapping) else score
    return float(found) if isinstance(found, int | float) else None


def _better(metrics: Metrics) -> str:
    winner = metrics["verdict"]["word"][0]
    a, b = metrics["reconciled"]["a"], metrics["reconciled"]["b"]
    tested = metrics["verdict"]["p_value"]
    ahead = b > a if winner == "B" else a > b
    supported = tested is not None and tested < 1 - metrics["win_rate"]["level"] and ahead
    _require(supported, f"`{winner} better` needs a lead and a test below 5 %", metrics["verdict"])
    return f"{winner} is better: {_wins(a, b)} (exact sign test, {p_value(tested)})."


def _equivalent(metrics: Metrics) -> str:
    margin, rate = metrics["verdict"]["equivalence_margin"], metrics["win_rate"]
    inside = margin is not None and 0.5 - margin <= rate["low"] and rate["high"] <= 0.5 + margin
    _require(inside, "`equivalent` needs the interval inside the margin", rate)
    return f"A and B are equivalent: the interval lies within ± {margin * 100:g} points of 50 %."


def _inconclusive(metrics: Metrics) -> str:
    a, b = metrics["reconciled"]["a"], metrics["reconciled"]["b"]
    tested, needed = metrics["verdict"]["p_value"], metrics["verdict"]["pairs_needed"]
    test = f" (exact sign test, {p_value(tested)})" if tested is not None else ""
    more = ""
    if needed:
        more = f" About {needed:,} further pairs would decide a difference of this size."
    return f"Inconclusive: {_wins(a, b)}{test}, which could be chance.{more}"


def _other(metrics: Metrics) -> str:
    return f"Verdict: {metrics['verdict']['word']}."


def _wins(a: int, b: int) -> str:
    return f"of {a + b} pairs decided the same way in both orders, A wins {a} and B {b}"


def _require(supported: bool, rule: str, figures: Any) -> None:  # noqa: ANN401  printed only
    if not supported:
        raise UnsupportedClaimError(f"{rule}, but the figures are {figures!r}")


_CLAIMS = {
    "A better": _better,
    "B better": _better,
    "equivalent": _equivalent,
    "inconclusive": _inconclusive,
}
