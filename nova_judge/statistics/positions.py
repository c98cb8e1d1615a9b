"""Effect of the order of showing on the judge: first-position rate, flips, consistency, a test."""

import msgspec
import numpy as np

from nova_judge.statistics.clusters import places_of
from nova_judge.statistics.distributions import flip_test_of_counts, sign_test
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import PROFILES, Outcome, Profile, ProfileCounts

__all__ = ["positions", "positions_of"]


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
