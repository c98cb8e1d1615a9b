"""All estimates from the evidence of one run or one file, as the plain data that users read."""

from typing import Any

from nova_judge.plain import plain
from nova_judge.records import Unscored
from nova_judge.statistics.agreement import agreement
from nova_judge.statistics.basis import decided_rows, rate, rate_error, score_counts
from nova_judge.statistics.calibration import calibrate
from nova_judge.statistics.corrected_win_rate import corrected_win_rate
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.length_control import format_controlled, length_controlled
from nova_judge.statistics.positions import positions
from nova_judge.statistics.settings import StatisticsSettings
from nova_judge.statistics.slices import slices
from nova_judge.statistics.verdict import state_verdict, win_rate_decisive

FIXED_SIZE = (
    "judging may have stopped early: verdict, win rates and categories allow for it; what is "
    "corrected or controlled, agreement, calibration and criteria have intervals for a number of "
    "rows fixed beforehand"
)


def find(
    evidence: Evidence, settings: StatisticsSettings, basis: Basis = Basis.BOTH_ORDERS
) -> dict[str, Any]:
    """Every estimate that the evidence allows; what it does not allow is None, `notes` say why."""
    profiles = evidence.profiles
    decided = decided_rows(evidence, basis)
    both_orders = basis is Basis.BOTH_ORDERS
    level = settings.level
    win_rate = rate(evidence, settings, basis)
    parts = {
        "win_rate": win_rate,
        "win_rate_decisive": win_rate_decisive(decided, settings),
        "win_rate_corrected": corrected_win_rate(evidence.labelled, profiles, level),
        "positions": positions(profiles) if both_orders else Unscored("one order was judged"),
        "agreement": agreement(evidence.labelled, level, both_orders=both_orders),
        "calibration": calibrate(evidence, level),
        "length_controlled": length_controlled(evidence, level),
        "format_controlled": format_controlled(evidence, level),
    }
    by_category = slices(evidence, settings, basis)
    notes = [f"{name}: {part.reason}" for name, part in parts.items() if isinstance(part, Unscored)]
    if settings.anytime:
        notes.append(FIXED_SIZE)
    if by_category.left_out:
        notes.append(f"slices: {by_category.left_out} smaller categories are not listed")
    return {
        "profiles": profiles.as_dict(),
        "forward": profiles.forward._asdict(),
        "backward": profiles.backward._asdict(),
        "both_bad": {"forward": profiles.both_bad_forward, "backward": profiles.both_bad_backward},
        "reconciled": profiles.reconciled._asdict(),
        "standard_error": rate_error(evidence, basis),
        "verdict": plain(state_verdict(decided, score_counts(evidence, basis), settings, win_rate)),
        **{name: plain(part) for name, part in parts.items()},
        "slices": by_category.slices,
        "notes": notes,
    }
