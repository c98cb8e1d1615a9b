"""How often the judge agrees with labels (human or objective), and how much beyond chance."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from nova_judge.outcomes import Outcome, ProfileCounts, score_quarters
from nova_judge.records import Unscored

LABELS = (Outcome.A, Outcome.B, Outcome.TIE)
LabelledCounts: TypeAlias = Mapping[Outcome, ProfileCounts]
Table: TypeAlias = npt.NDArray[np.int64]


class Kappa(NamedTuple):
    """Cohen's kappa with the interval of its large-sample variance."""

    estimate: float
    low: float
    high: float
    level: float
    method: str


class Agreement(NamedTuple):
    """Agreement with labels, as fractions of all labelled rows; a missing verdict never agrees.

    forward, backward: the verdict of that order is the label. strict: of both orders.
    summed: JudgeBench's rule, the sign of the two verdicts added (Tan et al. 2024).
    consistency: the same verdict in both orders, whatever the label.
    kappa: of the summed verdict; None where it is not defined.
    """

    forward: float
    backward: float
    strict: float
    summed: float
    consistency: float
    kappa: float | None
    kappa_interval: Kappa | None
    labelled: int


def agreement(labelled: LabelledCounts, level: float = 0.95) -> Agreement | Unscored:
    """Agreement of judged rows with their labels, from profile counts per label."""
    rows = sum(profiles.rows for profiles in labelled.values())
    if not rows:
        return Unscored("no row has a label")
    forward = sum(_order(profiles.forward, label) for label, profiles in labelled.items())
    backward = sum(_order(profiles.backward, label) for label, profiles in labelled.items())
    strict = sum(profiles.of(label, label) for label, profiles in labelled.items())
    consistent = sum(
        profiles.of(verdict, verdict) for profiles in labelled.values() for verdict in LABELS
    )
    table = summed_table(labelled)
    kappa = cohen_kappa(table, level)
    return Agreement(
        forward=forward / rows,
        backward=backward / rows,
        strict=strict / rows,
        summed=int(np.trace(table)) / rows,
        consistency=consistent / rows,
        kappa=kappa.estimate if kappa else None,
        kappa_interval=kappa,
        labelled=rows,
    )


def summed_table(labelled: LabelledCounts) -> Table:
    """Rows by label and summed verdict (A, B, tie each); rows without any verdict are left out."""
    table = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    for label, profiles in labelled.items():
        for profile, rows in profiles:
            quarters = score_quarters(profile)
            if quarters is not None:
                table[label, _summed(quarters)] += rows
    return table


def cohen_kappa(table: Table, level: float = 0.95) -> Kappa | None:
    """Cohen's kappa of a square table of counts; None where chance agreement is certain.

    Interval from the large-sample variance of Fleiss, Cohen and Everitt (1969).
    """
    rows = int(table.sum())
    if not rows:
        return None
    shares = table / rows
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(by_row @ by_column)
    if chance >= 1.0:
        return None
    observed = float(np.trace(shares))
    kappa = (observed - chance) / (1.0 - chance)
    error = math.sqrt(max(0.0, _kappa_variance(shares, kappa, chance)) / rows)
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    low, high = max(-1.0, kappa - z * error), min(1.0, kappa + z * error)
    return Kappa(kappa, low, high, level, "large-sample variance (Fleiss, Cohen, Everitt)")


def _kappa_variance(shares: npt.NDArray[np.float64], kappa: float, chance: float) -> float:
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    left = 1.0 - kappa
    agreed = np.diag(shares) @ (1.0 - (by_row + by_column) * left) ** 2
    crossed = shares * (by_column[:, None] + by_row[None, :]) ** 2
    differed = left**2 * (crossed.sum() - np.trace(crossed))
    return float(agreed + differed - (kappa - chance * left) ** 2) / (1.0 - chance) ** 2


def _order(tally: tuple[int, int, int, int], label: Outcome) -> int:
    return tally[label]


def _summed(quarters: int) -> Outcome:
    if quarters == 2:
        return Outcome.TIE
    return Outcome.A if quarters < 2 else Outcome.B
