"""Outcome profiles: what both orders said of a row, counted.

Sixteen counts (forward x backward, each A, B, tie or error) hold everything that the win rate, the
verdict and the position figures need. They merge exactly over shards, and nothing computed from
them depends on the order of the rows.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from nova_judge.records import ONE_PASS, JudgedAs, Judgment, Unscored, Verdict

__all__ = [
    "count_profiles",
    "outcome_of",
    "profile_of",
    "profiles_from_dict",
    "reconcile",
    "score_quarters",
]


class Outcome(enum.IntEnum):
    """Outcome of one order. Both bad is a tie; no readable verdict is an error."""

    A = 0
    B = 1
    TIE = 2
    ERROR = 3


VERDICTS = {Outcome.A: Verdict.A, Outcome.B: Verdict.B, Outcome.TIE: Verdict.TIE}
"""The verdict that an outcome stands for, but for errors."""


class Reconciled(enum.StrEnum):
    """Outcome of both orders of a row: one verdict, two different ones, or one missing."""

    A = "A"
    B = "B"
    TIE = "tie"
    INCONSISTENT = "inconsistent"
    ERROR = "error"


class Profile(NamedTuple):
    """The outcomes of one row in both orders."""

    forward: Outcome
    backward: Outcome


PROFILES = tuple(Profile(forward, backward) for forward in Outcome for backward in Outcome)

_OUTCOMES = {
    Verdict.A: Outcome.A,
    Verdict.B: Outcome.B,
    Verdict.TIE: Outcome.TIE,
    Verdict.BOTH_BAD: Outcome.TIE,
}
_QUARTERS = {Outcome.A: 0, Outcome.TIE: 2, Outcome.B: 4}
_MIRRORED = {Outcome.A: Outcome.B, Outcome.B: Outcome.A}
_NAMES = {Outcome.A: "A", Outcome.B: "B", Outcome.TIE: "tie", Outcome.ERROR: "error"}
_AGREED = {Outcome.A: Reconciled.A, Outcome.B: Reconciled.B, Outcome.TIE: Reconciled.TIE}


class OrderTally(msgspec.Struct, frozen=True):
    """Verdicts of one order, in rows."""

    a: int
    b: int
    ties: int
    errors: int

    def of(self, outcome: Outcome) -> int:
        """Rows with this outcome."""
        return (self.a, self.b, self.ties, self.errors)[outcome]


class ReconciledTally(msgspec.Struct, frozen=True):
    """Verdicts of both orders together, in rows."""

    a: int
    b: int
    ties: int
    inconsistent: int
    errors: int

    @property
    def rows(self) -> int:
        """All rows that were sent to the judge."""
        return self.a + self.b + self.ties + self.inconsistent + self.errors


@dataclass(frozen=True, slots=True)
class ProfileCounts:
    """Number of rows in each of the sixteen profiles, in the order of `PROFILES`."""

    counts: tuple[int, ...] = (0,) * len(PROFILES)
    both_bad_forward: int = 0
    both_bad_backward: int = 0

    def __add__(self, other: "ProfileCounts") -> "ProfileCounts":
        return ProfileCounts(
            tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)),
            self.both_bad_forward + other.both_bad_forward,
            self.both_bad_backward + other.both_bad_backward,
        )

    def __iter__(self) -> Iterator[tuple[Profile, int]]:
        return iter(zip(PROFILES, self.counts, strict=True))

    def of(self, forward: Outcome, backward: Outcome) -> int:
        """Rows with exactly these two outcomes."""
        return self.counts[forward * len(Outcome) + backward]

    @property
    def rows(self) -> int:
        """Rows that were sent to the judge."""
        return sum(self.counts)

    @property
    def judge_failed(self) -> int:
        """Rows without a verdict in either order."""
        return self.of(Outcome.ERROR, Outcome.ERROR)

    @property
    def judged(self) -> int:
        """Rows with a verdict in at least one order."""
        return self.rows - self.judge_failed

    @property
    def one_order(self) -> int:
        """Judged rows that have one verdict only; they are not evidence of the candidates."""
        return self.judged - self.in_both_orders

    @property
    def in_both_orders(self) -> int:
        """Rows with a verdict in both orders: the evidence."""
        return sum(rows for profile, rows in self if Outcome.ERROR not in profile)

    @property
    def forward(self) -> OrderTally:
        """Verdicts of the order A, B."""
        return OrderTally(*(sum(self.of(seen, other) for other in Outcome) for seen in Outcome))

    @property
    def backward(self) -> OrderTally:
        """Verdicts of the order B, A, in terms of the candidates."""
        return OrderTally(*(sum(self.of(other, seen) for other in Outcome) for seen in Outcome))

    @property
    def reconciled(self) -> ReconciledTally:
        """Verdicts of both orders together."""
        tally: Counter[Reconciled] = Counter()
        for profile, rows in self:
            tally[reconcile(profile)] += rows
        return ReconciledTally(*(tally[word] for word in Reconciled))

    @property
    def quarters(self) -> tuple[int, int, int, int, int]:
        """Rows with both verdicts by score in quarters of a win of B: 0, 1, 2, 3, 4."""
        tally: Counter[int] = Counter()
        for profile, rows in self:
            score = score_quarters(profile)
            if score is not None:
                tally[score] += rows
        return (tally[0], tally[1], tally[2], tally[3], tally[4])

    def as_dict(self) -> dict[str, int]:
        """Rows by profile, forward outcome first: `{"A/A": 42, "A/tie": 20, ...}`."""
        return {f"{_NAMES[p.forward]}/{_NAMES[p.backward]}": rows for p, rows in self}

    def mirrored(self) -> "ProfileCounts":
        """The counts with A and B exchanged: the order that was forward becomes backward."""
        swapped = (
            self.of(_MIRRORED.get(p.backward, p.backward), _MIRRORED.get(p.forward, p.forward))
            for p in PROFILES
        )
        return ProfileCounts(tuple(swapped), self.both_bad_backward, self.both_bad_forward)


def outcome_of(judged: JudgedAs) -> Outcome:
    """The outcome that a verdict, or its absence, counts as.

    >>> outcome_of(Verdict.BOTH_BAD).name, outcome_of(Unscored("cut off")).name
    ('TIE', 'ERROR')
    """
    return Outcome.ERROR if isinstance(judged, Unscored) else _OUTCOMES[judged]


def profile_of(judgment: Judgment) -> Profile:
    """The outcome profile of one row; where the job made one pass, it speaks for the row.

    >>> profile = profile_of(Judgment(forward=Verdict.A, backward=Verdict.B))
    >>> profile.forward.name, profile.backward.name
    ('A', 'B')
    """
    forward = outcome_of(judgment.forward)
    if judgment.backward == ONE_PASS:
        return Profile(forward, forward)
    return Profile(forward, outcome_of(judgment.backward))


def reconcile(profile: Profile) -> Reconciled:
    """Both orders the same: that verdict; two verdicts that differ: inconsistent; else an error.

    >>> reconcile(Profile(Outcome.A, Outcome.A)).value
    'A'
    >>> reconcile(Profile(Outcome.A, Outcome.B)).value
    'inconsistent'
    """
    if Outcome.ERROR in profile:
        return Reconciled.ERROR
    if profile.forward != profile.backward:
        return Reconciled.INCONSISTENT
    return _AGREED[profile.forward]


def score_quarters(profile: Profile) -> int | None:
    """Mean score of B over both orders (B 1, tie 1/2, A 0), in quarters; None where one is lost.

    One verdict alone is not a score: it would carry the judge's bias for a position in full.

    >>> score_quarters(Profile(Outcome.B, Outcome.TIE))
    3
    >>> score_quarters(Profile(Outcome.B, Outcome.ERROR)) is None
    True
    """
    if Outcome.ERROR in profile:
        return None
    return (_QUARTERS[profile.forward] + _QUARTERS[profile.backward]) // 2


def count_profiles(judgments: Iterable[Judgment]) -> ProfileCounts:
    """Count the profiles of many judgments in one pass.

    >>> flip = Judgment(forward=Verdict.A, backward=Verdict.B)
    >>> count_profiles([flip, flip]).reconciled
    ReconciledTally(a=0, b=0, ties=0, inconsistent=2, errors=0)
    """
    profiles: Counter[Profile] = Counter()
    both_bad_forward = both_bad_backward = 0
    for judgment in judgments:
        profiles[profile_of(judgment)] += 1
        both_bad_forward += judgment.forward == Verdict.BOTH_BAD
        both_bad_backward += judgment.backward == Verdict.BOTH_BAD
    return ProfileCounts(
        tuple(profiles[profile] for profile in PROFILES), both_bad_forward, both_bad_backward
    )


def profiles_from_dict(counts: Mapping[str, int]) -> ProfileCounts:
    """The counts that `ProfileCounts.as_dict` wrote (both bad counts as a tie).

    >>> counts = count_profiles([Judgment(forward=Verdict.A, backward=Verdict.B)])
    >>> profiles_from_dict(counts.as_dict()) == counts
    True
    """
    named = ProfileCounts().as_dict()
    if set(counts) != set(named):
        raise ValueError(f"expected the sixteen profiles {', '.join(named)}")
    return ProfileCounts(tuple(counts[name] for name in named))
