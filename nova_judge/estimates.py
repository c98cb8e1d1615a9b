"""All estimates from the evidence of one run or one file, as the plain data that users read."""

from typing import Any

import msgspec

from nova_judge.agreement import Agreement, agreement
from nova_judge.evidence import Evidence
from nova_judge.positions import positions
from nova_judge.records import Unscored
from nova_judge.verdict import verdict
from nova_judge.win_rate import (
    Interval,
    scores_of_profiles,
    standard_error,
    win_rate,
    win_rate_decisive,
)


class StatisticsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the user sets: the level of every interval, the margin within which candidates are
    equivalent (in win rate, .03 = 3 points), the seed of every resampling, and the verdicts of
    control runs that block this one (`controls.py`)."""

    level: float = 0.95
    equivalence_margin: float | None = None
    seed: int = 0
    resamples: int = 10_000
    blocked_by: tuple[str, ...] = ()


def estimate(evidence: Evidence, settings: StatisticsSettings) -> dict[str, Any]:
    """Every estimate that the evidence allows; what it does not allow is None, `notes` say why."""
    profiles = evidence.profiles
    notes: list[str] = []
    agreed = agreement(evidence.labelled, settings.level)
    return {
        "forward": profiles.forward._asdict(),
        "backward": profiles.backward._asdict(),
        "both_bad": {"forward": profiles.both_bad_forward, "backward": profiles.both_bad_backward},
        "reconciled": profiles.reconciled._asdict(),
        "win_rate": _stated("win_rate", win_rate(profiles, settings.level), notes),
        "standard_error": standard_error(scores_of_profiles(profiles)),
        "win_rate_decisive": _stated(
            "win_rate_decisive", win_rate_decisive(profiles, settings.level), notes
        ),
        "verdict": verdict(
            profiles,
            level=settings.level,
            equivalence_margin=settings.equivalence_margin,
            blocked_by=settings.blocked_by,
        )._asdict(),
        "positions": positions(profiles)._asdict(),
        "agreement": _agreement(agreed, notes),
        "calibration": None,
        "length_controlled": None,
        "format_controlled": None,
        "slices": [],
        "notes": notes,
    }


def _stated(name: str, interval: Interval | Unscored, notes: list[str]) -> dict[str, Any] | None:
    if isinstance(interval, Unscored):
        notes.append(f"{name}: {interval.reason}")
        return None
    return interval._asdict()


def _agreement(agreed: Agreement | Unscored, notes: list[str]) -> dict[str, Any] | None:
    if isinstance(agreed, Unscored):
        notes.append(f"agreement: {agreed.reason}")
        return None
    stated: dict[str, Any] = agreed._asdict()
    if agreed.kappa_interval is not None:
        stated["kappa_interval"] = agreed.kappa_interval._asdict()
    return stated
