"""Effect of the order of showing on the judge: first-position rate, flips, consistency, a test.

Rows of which an order was lost are counted, bounded and allowed for, but never taken as evidence. A
judge that favours a position cancels its bias only where both orders gave a verdict, so that a row
with one verdict scores nothing. What its lost order could have said is answered twice. The bounds
give every lost order to A, and to B: nothing lies outside. The interval allows for losses that
depend on whether the orders agree (a judge that fails where it is in two minds): it reaches as far
as the win rate would move if all such rows were rows that agree, or all rows that do not.
"""

import msgspec
import numpy as np

from nova_judge.statistics.clusters import places_of
from nova_judge.statistics.dirichlet_mean import Bounds
from nova_judge.statistics.distributions import flip_test_of_counts, sign_test
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import PROFILES, Outcome, Profile, ProfileCounts

__all__ = ["lost_orders", "positions", "positions_of", "reach_of_lost"]


class Positions(msgspec.Struct, frozen=True):
    """Position figures of a judge; shares are fractions, None where nothing could be counted.

    first_rate: of the judgments that name a candidate, those that name the one shown first; over
    rows with both verdicts.
    flips: of all rows sent to the judge, those where each order names another candidate.
    consistency: of all rows sent to the judge, those with the same verdict in both orders.
    p_value: exact sign test of rows that lean to the first against rows that lean to the second
    position; without position bias both are equally likely.
    """

    first_rate: float | None
    flips: float | None
    consistency: float | None
    p_value: float | None
    first_named: int
    second_named: int
    flipped_rows: int
    consistent_rows: int
    leaning_first: int
    leaning_second: int
    rows: int

    def favoured(self, level: float = 0.95) -> str | None:
        """`first` or `second`: the position favoured beyond chance; None if neither is."""
        if self.p_value is None or self.p_value >= 1.0 - level:
            return None
        return "first" if self.leaning_first > self.leaning_second else "second"


def positions(profiles: ProfileCounts) -> Positions:
    """The position figures of judged rows. Without rows in both orders no test is made.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> both_A, flip = EvidenceRow(Verdict.A, Verdict.A), EvidenceRow(Verdict.A, Verdict.B)
    >>> found = positions(gather([both_A] * 3 + [flip]).profiles)
    >>> found.first_rate, found.flips, found.consistency
    (0.625, 0.25, 0.75)
    """
    named = [(*_named_by_position(profile), rows) for profile, rows in profiles]
    first, second = (sum(each[place] * each[2] for each in named) for place in (0, 1))
    leaning_first = sum(rows for of_first, of_second, rows in named if of_first > of_second)
    leaning_second = sum(rows for of_first, of_second, rows in named if of_first < of_second)
    flipped = profiles.of(Outcome.A, Outcome.B) + profiles.of(Outcome.B, Outcome.A)
    tally = profiles.reconciled
    consistent = tally.a + tally.b + tally.ties
    in_both_orders = profiles.rows - tally.errors
    rows = profiles.rows
    return Positions(
        first_rate=first / (first + second) if first + second else None,
        flips=flipped / rows if in_both_orders else None,
        consistency=consistent / rows if in_both_orders else None,
        p_value=sign_test(leaning_first, leaning_second) if in_both_orders else None,
        first_named=first,
        second_named=second,
        flipped_rows=flipped,
        consistent_rows=consistent,
        leaning_first=leaning_first,
        leaning_second=leaning_second,
        rows=rows,
    )


def positions_of(evidence: Evidence) -> Positions:
    """The position figures of all rows; where prompts repeat, the test flips signs of prompts.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> rows = [EvidenceRow(Verdict.A, Verdict.B)] * 2 + [EvidenceRow(Verdict.A, Verdict.A)] * 2
    >>> positions_of(gather(rows)).first_rate
    0.75
    """
    found = positions(evidence.profiles)
    if found.p_value is None:
        return found
    leans = _LEANS[evidence.forward.astype(np.intp) * len(Outcome) + evidence.backward]
    of_prompts = np.bincount(places_of(evidence.clusters), leans).astype(np.int64)
    return msgspec.structs.replace(found, p_value=flip_test_of_counts(of_prompts))


def _named_by_position(profile: Profile) -> tuple[int, int]:
    """How often a row names the candidate shown first, and second: B is first in backward.

    Of rows with both verdicts: in one order the better candidate would count as a position.
    """
    if Outcome.ERROR in profile:
        return 0, 0
    return (
        (profile.forward is Outcome.A) + (profile.backward is Outcome.B),
        (profile.forward is Outcome.B) + (profile.backward is Outcome.A),
    )


_LEANS = np.sign([first - second for first, second in map(_named_by_position, PROFILES)])


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
