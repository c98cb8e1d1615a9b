"""Agreement of the judge with labels (human or objective), and how far it goes beyond chance."""

import math
from collections.abc import Mapping
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Ints
from nova_judge.statistics.gwet import Ac1, gwet_ac1
from nova_judge.statistics.outcomes import Outcome, Profile, ProfileCounts
from nova_judge.statistics.student import student_quantile
from nova_judge.statistics.win_rate import Interval, wilson

LABELS = (Outcome.A, Outcome.B, Outcome.TIE)
LabelledCounts: TypeAlias = Mapping[Outcome, ProfileCounts]
Shares: TypeAlias = npt.NDArray[np.float64]

MIN_LABELLED = 20
MIN_OF_RARER = 10
_EXCHANGED = (1, 0, 2)
KAPPA_METHOD = "large-sample variance, one observation added at chance and one at agreement"


class Kappa(msgspec.Struct, frozen=True):
    """Cohen's kappa with its interval, None where labels are too few for one."""

    estimate: float
    low: float | None
    high: float | None
    level: float
    method: str


class Agreement(msgspec.Struct, frozen=True):
    """Agreement with labels, as fractions of all labelled rows; a missing verdict never agrees.

    forward, backward: the verdict of that order is the label. strict: of both orders.
    summed: JudgeBench's rule, the sign of the two verdicts added (Tan et al. 2024).
    consistency: the same verdict in both orders, whatever the label.
    kappa: of the summed verdict; None where it is not defined. ac1: Gwet's, of the same.
    backward, strict and consistency are None where only one order was judged. intervals: Wilson's,
    by the name of the share.
    """

    forward: float
    backward: float | None
    strict: float | None
    summed: float
    consistency: float | None
    kappa: float | None
    kappa_interval: Kappa | None
    labelled: int
    ac1: Ac1 | None = None
    intervals: dict[str, Interval] = {}


def agreement(
    labelled: LabelledCounts, level: float = 0.95, *, both_orders: bool = True
) -> Agreement | Unscored:
    """Agreement of judged rows with their labels, from profile counts per label."""
    rows = sum(profiles.rows for profiles in labelled.values())
    if not rows:
        return Unscored("no row has a label")
    forward = sum(profiles.forward.of(label) for label, profiles in labelled.items())
    backward = sum(profiles.backward.of(label) for label, profiles in labelled.items())
    strict = sum(profiles.of(label, label) for label, profiles in labelled.items())
    consistent = sum(
        profiles.of(verdict, verdict) for profiles in labelled.values() for verdict in LABELS
    )
    table = summed_table(labelled)
    kappa = cohen_kappa(table, level)
    counted = {"forward": forward, "summed": int(np.trace(table))}
    if both_orders:
        counted |= {"backward": backward, "strict": strict, "consistency": consistent}
    intervals = {name: wilson(count, rows, level) for name, count in counted.items()}
    return Agreement(
        forward=forward / rows,
        backward=backward / rows if both_orders else None,
        strict=strict / rows if both_orders else None,
        summed=counted["summed"] / rows,
        consistency=consistent / rows if both_orders else None,
        kappa=kappa.estimate if kappa else None,
        kappa_interval=kappa,
        ac1=gwet_ac1(table, level),
        intervals={name: one for name, one in intervals.items() if isinstance(one, Interval)},
        labelled=rows,
    )


def summed_table(labelled: LabelledCounts) -> Ints:
    """Rows by label and summed verdict (A, B, tie each); rows without any verdict are left out."""
    table = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    for label, profiles in labelled.items():
        for profile, rows in profiles:
            if (verdict := _summed(profile)) is not None:
                table[label, verdict] += rows
    return table


def cohen_kappa(table: Ints, level: float = 0.95) -> Kappa | None:
    """Cohen's kappa of counts by label and verdict (A, B, tie); None where chance is certain.

    Computed for whichever of the table and its A-B exchange sorts first: both give equal bits.

    Interval from the large-sample variance of Fleiss, Cohen and Everitt (1969), at the table with
    one observation of chance agreement and one of full agreement added and Student's t, without
    which its level is .89 at twenty rows. None below twenty rows, and where all but one label (or
    verdict) have fewer than ten rows together: its level is .5 to .9 there.
    """
    rows = int(table.sum())
    if not rows:
        return None
    shares = min(table, table[np.ix_(_EXCHANGED, _EXCHANGED)], key=np.ndarray.tolist) / rows
    estimate = _kappa(shares)
    if estimate is None:
        return None
    low = high = None
    rarer = min(rows - int(table.sum(axis=axis).max()) for axis in (0, 1))
    if rows >= MIN_LABELLED and rarer >= MIN_OF_RARER:
        low, high = _kappa_bounds(shares, rows, level)
    return Kappa(estimate, low, high, level, KAPPA_METHOD)


def _kappa(shares: Shares) -> float | None:
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return None if chance >= 1.0 else (float(np.trace(shares)) - chance) / (1.0 - chance)


def _kappa_bounds(shares: Shares, rows: int, level: float) -> tuple[float, float]:
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    added = np.outer(by_row, by_column) + np.diag((by_row + by_column) / 2.0)
    smoothed = (shares * rows + added) / (rows + 2.0)
    centre = _kappa(smoothed) or 0.0
    error = math.sqrt(max(0.0, _kappa_variance(smoothed, centre)) / (rows + 2.0))
    reach = student_quantile(level, rows - 1) * error
    estimate = _kappa(shares) or 0.0
    return min(estimate, max(-1.0, centre - reach)), max(estimate, min(1.0, centre + reach))


def _kappa_variance(shares: Shares, kappa: float) -> float:
    """The variance of kappa times the number of rows."""
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(by_row @ by_column)
    left = 1.0 - kappa
    agreed = np.diag(shares) @ (1.0 - (by_row + by_column) * left) ** 2
    crossed = shares * (by_column[:, None] + by_row[None, :]) ** 2
    differed = left**2 * (crossed.sum() - np.trace(crossed))
    return float(agreed + differed - (kappa - chance * left) ** 2) / (1.0 - chance) ** 2


def _summed(profile: Profile) -> Outcome | None:
    """JudgeBench's rule: a lost verdict adds nothing; None where both are lost."""
    given = [outcome for outcome in profile if outcome is not Outcome.ERROR]
    if not given:
        return None
    lead = given.count(Outcome.B) - given.count(Outcome.A)
    return Outcome.TIE if lead == 0 else Outcome.B if lead > 0 else Outcome.A
