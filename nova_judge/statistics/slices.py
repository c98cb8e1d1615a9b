"""The same comparison by category, with the error rate shared out over all of them."""

from typing import Any, NamedTuple

import numpy as np

from nova_judge.plain import plain
from nova_judge.statistics.agreement import agreement
from nova_judge.statistics.basis import decided_rows, rate
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.settings import StatisticsSettings
from nova_judge.statistics.verdict import decided_p_value

MIN_ROWS = 20
MAX_SLICES = 200


class Slices(NamedTuple):
    """The slices by size, and how many small ones were left out beyond `MAX_SLICES`."""

    slices: list[dict[str, Any]]
    left_out: int


def slices(evidence: Evidence, settings: StatisticsSettings, basis: Basis) -> Slices:
    """Figures of every category, the largest first; [] where no row has one.

    A slice under twenty rows is shown as counts only. `p_holm` is the sign test's p-value after
    Holm's correction (1979) over the slices that are tested, `differs` whether it is below
    1 - level.
    """
    groups = _groups(evidence)
    if all(category is None for category, _ in groups):
        return Slices([], 0)
    found = [_slice(name, rows, settings, basis) for name, rows in groups[:MAX_SLICES]]
    tested = [entry for entry in found if entry["p_value"] is not None]
    corrected = holm([entry["p_value"] for entry in tested])
    for entry, p_value in zip(tested, corrected, strict=True):
        entry["p_holm"] = p_value
        entry["differs"] = p_value < 1.0 - settings.level
    return Slices(found, max(0, len(groups) - MAX_SLICES))


def holm(p_values: list[float]) -> list[float]:
    """P-values after Holm's step-down correction, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected


def _groups(evidence: Evidence) -> list[tuple[str | None, Evidence]]:
    if not evidence.categories.size:
        return []  # np.split makes one part even of nothing
    number: dict[str | None, int] = {}
    codes = np.array([number.setdefault(name, len(number)) for name in evidence.categories], int)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(number)))[:-1])
    groups = [(name, part) for name, part in zip(number, parts, strict=True)]
    groups.sort(key=lambda group: (-len(group[1]), group[0] is None, group[0] or ""))
    return [(name, evidence.where(part)) for name, part in groups]


def _slice(
    category: str | None, rows: Evidence, settings: StatisticsSettings, basis: Basis
) -> dict[str, Any]:
    profiles = rows.profiles
    decided = decided_rows(rows, basis)
    entry: dict[str, Any] = {
        "category": category,
        "rows": profiles.rows,
        "judged": profiles.judged,
        "reconciled": profiles.reconciled._asdict(),
        "decided": {"a": decided.a, "b": decided.b},
        **dict.fromkeys(("win_rate", "p_value", "p_holm", "differs", "agreement")),
    }
    if profiles.judged < MIN_ROWS:
        return entry
    found = rate(rows, settings, basis)
    agreed = agreement(rows.labelled, settings.level, both_orders=basis is Basis.BOTH_ORDERS)
    entry["win_rate"] = plain(found)
    entry["p_value"] = decided_p_value(decided, settings)
    entry["agreement"] = plain(agreed)
    return entry
