"""The win rates that a report sets beside each other, each under the name of what it counts."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class NamedRate(NamedTuple):
    """A win rate of B with `estimate`, `low` and `high` as fractions."""

    name: str
    rate: Mapping[str, Any]


def named_rates(metrics: Mapping[str, Any]) -> list[NamedRate]:
    """Ours first, then its variants, then what the judge job itself reported."""
    return [*our_rates(metrics), *reported_rates(metrics)]


def our_rates(metrics: Mapping[str, Any]) -> list[NamedRate]:
    """The win rate and its variants, as computed from the rows."""
    candidates = (
        ("both orders, ties half", metrics.get("win_rate")),
        ("decided pairs only", metrics.get("win_rate_decisive")),
        ("at equal length", metrics.get("length_controlled")),
        ("at equal structure", metrics.get("format_controlled")),
        ("corrected by labels", metrics.get("win_rate_corrected")),
    )
    return [NamedRate(name, rate) for name, rate in candidates if rate]


def reported_rates(metrics: Mapping[str, Any]) -> list[NamedRate]:
    """What the judge job reported, [] without an interval: quoted, never vouched for.

    The interval may miss its own estimate: the notes of `job` say so.
    """
    job = metrics.get("job") or {}
    rate = {
        "estimate": job.get("winrate"),
        "low": job.get("lower_rate"),
        "high": job.get("upper_rate"),
        "level": 0.95,
    }
    return [NamedRate("as the judge job reports it", rate)] if _has_interval(rate) else []


def _has_interval(rate: Mapping[str, Any]) -> bool:
    return all(isinstance(rate.get(key), int | float) for key in ("estimate", "low", "high"))
