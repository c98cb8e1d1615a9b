"""The win rates that a report sets beside each other, each under the name of what it counts."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class NamedRate(NamedTuple):
    """A win rate of B with `estimate`, `low` and `high` as fractions."""

    name: str
    rate: Mapping[str, Any]


def named_rates(metrics: Mapping[str, Any]) -> list[NamedRate]:
    """Ours first, then its variants, then what the judge job itself reported."""
    candidates = (
        ("both orders, ties half", metrics.get("win_rate")),
        ("decided pairs only", metrics.get("win_rate_decisive")),
        ("at equal length", metrics.get("length_controlled")),
        ("at equal structure", metrics.get("format_controlled")),
        ("corrected by labels", metrics.get("win_rate_corrected")),
        ("as the judge job reports it", _reported(metrics.get("job") or {})),
    )
    return [NamedRate(name, rate) for name, rate in candidates if rate and _has_interval(rate)]


def _reported(job: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "estimate": job.get("winrate"),
        "low": job.get("lower_rate"),
        "high": job.get("upper_rate"),
    }


def _has_interval(rate: Mapping[str, Any]) -> bool:
    return all(isinstance(rate.get(key), int | float) for key in ("estimate", "low", "high"))
