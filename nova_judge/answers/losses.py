"""Tell refusals that speak of load from those that come however few calls are made.

A server at its limit refuses calls that begin while many are in flight, and takes those that begin
while few are. A server that refuses by chance, or because others use up what it shares among all,
refuses the same share of both. Only the first is a reason to slow down.
"""

import math
from typing import NamedTuple

SPREAD = 0.8
"""Calls in flight of the lower half of the calls, against the upper half: closer tells nothing."""
ENOUGH = 40
ENOUGH_ALONE = 20
ENOUGH_REFUSED = 3
ALIKE = 1.35
"""Shares of calls taken that differ by a larger factor are not the same."""
ORDERED = 0.75
"""How often a refused call began beside more others than one that was taken: half, by chance."""
MOST_REMEMBERED = 200
MOST_CAUTION = 64
LEAST_WINDOW = 30
DEVIATIONS = 3.0
LEAST_FACTOR, MOST_FACTOR = 0.5, 0.9


class Seen(NamedTuple):
    """Calls that began, and how many of them were refused."""

    begun: float
    refused: float

    @property
    def share(self) -> float:
        """Refused calls, as a share of all."""
        return min(1.0, self.refused / self.begun) if self.begun else 0.0


class Losses:
    """The share of calls that is refused whatever the load: 0 until refusals prove to be so."""

    def __init__(self, most: int) -> None:
        self.share = 0.0
        self._begun = [0.0] * (most + 1)  # by calls in flight, with this one
        self._refused = [0.0] * (most + 1)
        self._remembered = 0.0
        self._window = Seen(0, 0)
        self._restored = 0.0
        self._lowest = 0.0
        self._caution = 1
        self._rests_on = 1.0

    def began(self, in_flight: int) -> None:
        """A call begins; it is one of so many in flight."""
        self._begun[in_flight] += 1
        self._remembered += 1
        if self._remembered > MOST_REMEMBERED:
            self._remembered /= 2
            self._begun = [count / 2 for count in self._begun]
            self._refused = [count / 2 for count in self._refused]
        self._window = self._window._replace(begun=self._window.begun + 1)

    def refused(self, in_flight: int) -> None:
        """A call that began as one of so many was refused."""
        self._refused[in_flight] += 1
        self._window = self._window._replace(refused=self._window.refused + 1)

    def proven(self, limit: float) -> float | None:
        """The limit to go back to, once it is clear that lowering it to `limit` was of no use."""
        low, high = self._halves()
        alone = Seen(self._begun[1], self._refused[1])
        by_chance = alone.begun >= ENOUGH_ALONE * self._caution and _alike(alone, alone)
        if not by_chance and (low.begun + high.begun < ENOUGH * self._caution):
            return None
        if not (by_chance or (_alike(low, high) and self._order(low) < ORDERED)):
            return None
        most = max(count for count, begun in enumerate(self._begun) if begun >= 1)
        self._restored, self._lowest = float(most), limit
        proof = alone if by_chance else _both(low, high)
        self.share, self._rests_on = proof.share, proof.begun
        self._forget()
        return self._restored

    def lowered(self, limit: float) -> float | None:
        """The limit that is right where more is refused than by chance; else None.

        If that happens at a limit that was restored, nothing was proven.
        """
        seen = self._window
        if seen.begun < max(LEAST_WINDOW, 2 * limit):
            return None
        self._window = Seen(0, 0)
        variance = self.share * (1 - self.share) * (1 / seen.begun + 1 / self._rests_on)
        spread = DEVIATIONS * math.sqrt(variance) + 1 / seen.begun
        if seen.share < self.share - spread or not seen.refused:
            self.share, self._rests_on = seen.share, seen.begun
        if seen.share <= self.share + spread:
            if limit <= self._restored:
                self._learn(seen)
            return None
        if limit <= self._restored:
            self.share, self._caution = 0.0, min(MOST_CAUTION, 2 * self._caution)
            self._forget()
            return self._lowest
        taken = (1 - seen.share) / (1 - self.share)
        return limit * min(MOST_FACTOR, max(LEAST_FACTOR, taken))

    def _learn(self, seen: Seen) -> None:
        """Take in what a limit showed at which the share was proven."""
        remembered = Seen(self._rests_on, self._rests_on * self.share)
        self.share = _both(remembered, seen).share
        self._rests_on = min(MOST_REMEMBERED, remembered.begun + seen.begun)

    def _halves(self) -> tuple[Seen, Seen]:
        """The calls that began with fewer and with more in flight; none where that is the same."""
        half, low, below, above, total = self._remembered / 2, Seen(0, 0), 0.0, 0.0, Seen(0, 0)
        for in_flight, counts in enumerate(zip(self._begun, self._refused, strict=True)):
            here = Seen(*counts)
            if total.begun < half:
                low, below = _both(low, here), below + in_flight * here.begun
            else:
                above += in_flight * here.begun
            total = _both(total, here)
        high = Seen(total.begun - low.begun, total.refused - low.refused)
        if not low.begun or not high.begun or below / low.begun > SPREAD * above / high.begun:
            return Seen(0, 0), Seen(0, 0)
        return low, high

    def _order(self, low: Seen) -> float:
        """Among the lower half: how often a refused call began beside more others."""
        taken = seen = above = 0.0
        for begun, refused in zip(self._begun, self._refused, strict=True):
            if seen >= low.begun:
                break
            here = max(0.0, begun - refused)
            above += refused * (taken + here / 2)
            taken, seen = taken + here, seen + begun
        return above / max(1.0, low.refused * taken)

    def _forget(self) -> None:
        self._begun = [0.0] * len(self._begun)
        self._refused = [0.0] * len(self._refused)
        self._remembered, self._window = 0.0, Seen(0, 0)


def _both(one: Seen, other: Seen) -> Seen:
    return Seen(one.begun + other.begun, one.refused + other.refused)


def _alike(low: Seen, high: Seen) -> bool:
    """True if refusals are as frequent in both groups of calls, and not too few to say."""
    if low.refused < ENOUGH_REFUSED or not high.share / 2 <= low.share <= 2 * high.share:
        return False
    taken = (1 - low.share + 1e-9) / (1 - high.share + 1e-9)
    return 1 / ALIKE < taken < ALIKE
