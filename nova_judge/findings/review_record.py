"""What people who labelled rows of a run found, as `metrics.json` holds it."""

import msgspec

from nova_judge.statistics.win_rate import Interval


class ReviewerFacts(msgspec.Struct, frozen=True):
    """One reviewer: rows labelled, and rows left out on purpose."""

    name: str
    labelled: int
    skipped: int


class ReviewFindings(msgspec.Struct, frozen=True, kw_only=True):
    """A review of drawn rows.

    drawn: rows of the design. labelled: those with a label. agreement: the share of all rows on
    which people say what both orders of the judge say, labels weighted by one over the probability
    of their draw; a flip agrees with nobody. labelled_twice: rows that several reviewers labelled.
    alpha: Krippendorff's, over these, None where it is not defined. differing: lines on which
    people and the judge say different things, the first ones.
    """

    drawn: int
    labelled: int
    reviewers: tuple[ReviewerFacts, ...]
    agreement: Interval | None
    labelled_twice: int
    alpha: float | None
    differing: tuple[int, ...]
    differing_count: int
