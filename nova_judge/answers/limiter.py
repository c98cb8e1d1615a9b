"""Limit of an endpoint's calls in flight: additive increase, multiplicative decrease.

The rules of TCP congestion control (Jacobson 1988; RFC 5681, RFC 6582), on calls instead of
packets. Slow start: one more for every answer, which doubles the limit each round trip, until the
first push-back. From then on one more per round trip, and a tenth less at most once a round trip.
As in CUBIC (RFC 9438) the increase is slower near the limit that was refused last, because most
caps stay where they are, and faster the farther it has passed that limit, because this one moved.
Refusals that come at any load are not push-back (see `losses`): the limit goes back to where
it was and doubles on, until more is refused than that. The calls themselves are the clock, so
nothing here knows the time.
"""

import threading
from typing import NamedTuple

from nova_judge.answers.losses import Losses

FIRST_LIMIT = 16
DECREASE = 0.9
NEAR = 1.0
SLOWER_WHEN_NEAR = 4.0
FASTER_BEYOND = 4.0
FEW = 4.0
"""Calls in flight of which a slow one proves no queue."""
SLOWER = 2.0
"""How often the best time a token may pass before an answer counts as slow."""


class Permit(NamedTuple):
    """Leave to make one call: how often the limit had been decreased, and the calls in flight."""

    decreases: int
    in_flight: int


class Limiter:
    """The limit of one endpoint; every method may be called from any thread.

    `limit`: the calls that may be in flight now, `in_flight`: those that are.
    """

    def __init__(self, most: int, first: int = FIRST_LIMIT) -> None:
        self._lock = threading.Lock()
        self._most = float(most)
        self.limit = float(min(first, most))
        self._refused_at = float("inf")
        self.in_flight = 0
        self._decreases = 0
        self._doubles = True
        self._losses = Losses(most)

    @property
    def loses_by_chance(self) -> bool:
        """True if calls are refused at any load, so that waiting before a call does not help."""
        return self._losses.share > 0.0

    def start(self) -> Permit | None:
        """Leave for one call, or None while the limit is reached."""
        with self._lock:
            if self.in_flight + 1 > self.limit:
                return None
            self.in_flight += 1
            self._losses.began(self.in_flight)
            return Permit(self._decreases, self.in_flight)

    def succeeded(self) -> None:
        """An answer came: a limit that was in use grows."""
        with self._lock:
            # A limit nobody reached was not put to the test, so its answers say nothing about it.
            if self.in_flight + 1 > self.limit:
                self.limit = min(self._most, self.limit + self._step())
            self.in_flight -= 1

    def released(self) -> None:
        """A call ended in a way that says nothing about load, or was never made."""
        with self._lock:
            self.in_flight -= 1

    def throttled(self, permit: Permit) -> None:
        """The endpoint pushed back: a tenth less, unless this round trip had it already."""
        with self._lock:
            self.in_flight -= 1
            self._losses.refused(permit.in_flight)
            if self.loses_by_chance:
                self._follow_losses()
                return
            self._decrease(permit, least=1.0)
            if (restored := self._losses.proven(self.limit)) is not None:
                self._refused_at, self._doubles = float("inf"), True
                self.limit = max(self.limit, restored)

    def slowed(self, permit: Permit) -> None:
        """A call took so long that it may have queued: as `throttled`, but never below `FEW`."""
        with self._lock:
            self.in_flight -= 1
            if self.limit > FEW:
                self._decrease(permit, least=FEW)

    def _follow_losses(self) -> None:
        """Take the limit down where more is refused than at any load."""
        if (lowered := self._losses.lowered(self.limit)) is not None:
            self._refused_at, self._doubles = self.limit, False
            self._decreases += 1
            self.limit = max(1.0, min(self.limit, lowered))

    def _decrease(self, permit: Permit, least: float) -> None:
        if permit.decreases == self._decreases:
            self._decreases += 1
            self._doubles = False
            self._refused_at = self.limit
            self.limit = min(self.limit * DECREASE, self.limit - 1)
        if permit.decreases == 0:
            # Doubling overshoots by far. What is still in flight was let in, or is about to be
            # refused too and then lowers the limit in its turn.
            self.limit = min(self.limit, float(self.in_flight))
            self._refused_at = self.limit + 1
        self.limit = max(least, self.limit)

    def _step(self) -> float:
        if self._doubles:
            return 1.0
        beyond = self.limit - self._refused_at
        if abs(beyond) <= NEAR:
            return 1.0 / self.limit / SLOWER_WHEN_NEAR
        return (1.0 + max(0.0, beyond) / FASTER_BEYOND) / self.limit


class Pace:
    """The best pace one endpoint was seen at, and what is slow beside it. Seconds.

    A server that queues shows as more seconds per token than it can do; a model that is slow, or an
    answer that is long, does not. Where tokens are not stated, an answer counts as one.
    """

    def __init__(self, slow_s: float) -> None:
        self._slow_s = slow_s
        self._best = float("inf")

    def is_slow(self, latency_s: float, tokens: int | None) -> bool:
        """True if an answer took over `slow_s`, and over twice the best time for its tokens."""
        pace = latency_s / (tokens or 1)
        self._best = min(self._best, pace)
        return latency_s > self._slow_s and pace > SLOWER * self._best
