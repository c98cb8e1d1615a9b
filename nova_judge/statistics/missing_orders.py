"""Rows of which an order was lost: counted, bounded, and allowed for, but never taken as evidence.

A judge that favours a position cancels its bias only where both orders gave a verdict. So a row
with one verdict scores nothing. What its lost order could have said is answered twice. The bounds
give every lost order to A, and to B: nothing lies outside. The interval allows for losses that
depend on whether the orders agree (a judge that fails where it is in two minds): it reaches as far
as the win rate would move if all such rows were rows that agree, or all rows that do not.
"""

import msgspec

from nova_judge.statistics.dirichlet_mean import Bounds
from nova_judge.statistics.outcomes import Outcome, ProfileCounts

__all__ = ["lost_orders", "reach_of_lost"]

_WIN = {Outcome.A: 0.0, Outcome.TIE: 0.5, Outcome.B: 1.0}


class LostOrders(msgspec.Struct, frozen=True):
    """Orders without a verdict, and the win rates of B that they leave possible.

    one_order: rows with one verdict; neither: rows without any. low, high: the win rate over all
    rows sent to the judge if every lost order had named A, and B.
    """

    one_order: int
    neither: int
    low: float
    high: float

    @property
    def bounds(self) -> Bounds:
        """The two win rates."""
        return Bounds(self.low, self.high)


def lost_orders(profiles: ProfileCounts) -> LostOrders | None:
    """The lost orders of judged rows; None where none was lost.

    >>> from nova_judge.records import Unscored, Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> whole = EvidenceRow(Verdict.B, Verdict.B)
    >>> lost = EvidenceRow(Verdict.B, Unscored("cut off"))
    >>> lost_orders(gather([whole] * 8 + [lost] * 2).profiles)
    LostOrders(one_order=2, neither=0, low=0.9, high=1.0)
    """
    if not profiles.one_order and not profiles.judge_failed:
        return None
    least = sum(rows * _score(*profile, lost=0.0) for profile, rows in profiles) / profiles.rows
    missed = sum(rows * (1.0 - _score(*profile, lost=1.0)) for profile, rows in profiles)
    return LostOrders(
        profiles.one_order, profiles.judge_failed, least, 1.0 - missed / profiles.rows
    )


def reach_of_lost(profiles: ProfileCounts) -> Bounds:
    """Bounds, below and above, on how far lost orders may have moved the win rate of whole rows.

    (0, 0) where no row has one verdict only. One row at 1/2 is added to the rows whose orders
    differ, since the loss may have taken them all.

    >>> from nova_judge.records import Unscored, Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> whole, flip = EvidenceRow(Verdict.B, Verdict.B), EvidenceRow(Verdict.A, Verdict.B)
    >>> lost = EvidenceRow(Verdict.B, Unscored("cut off"))
    >>> reach = reach_of_lost(gather([whole] * 6 + [flip] * 2 + [lost] * 2).profiles)
    >>> round(reach.low, 2), round(reach.high, 2)
    (-0.08, 0.03)
    """
    lost, whole = profiles.one_order, sum(profiles.quarters)
    if not lost or not whole:
        return Bounds(0.0, 0.0)
    tally = profiles.reconciled
    agreed = tally.a + tally.b + tally.ties
    wins = sum(score * rows for score, rows in enumerate(profiles.quarters)) / 4.0
    wins_agreed = tally.b + tally.ties / 2.0
    of_agreed = wins_agreed / agreed if agreed else 0.5
    of_differing = (wins - wins_agreed + 0.5) / (whole - agreed + 1.0)
    share = lost / (lost + whole)
    moves = [share * (mean - wins / whole) for mean in (of_agreed, of_differing)]
    return Bounds(min(0.0, *moves), max(0.0, *moves))


def _score(forward: Outcome, backward: Outcome, lost: float) -> float:
    return (_WIN.get(forward, lost) + _WIN.get(backward, lost)) / 2.0
