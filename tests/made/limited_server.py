"""A server that takes only so much, on a clock of its own, and the limiter that asks it."""

import heapq
import itertools
import random
from collections.abc import Callable

from nova_judge.answers.limiter import Limiter
from nova_judge.answers.retries import RetryPolicy

LATENCY = 0.05
REFUSAL = 0.001
MOST = 64
Takes = Callable[[float, int, random.Random], bool]
"""True where a call is taken: at this time, with so many being served, by this chance."""


def by_chance(share: float) -> Takes:
    """Refuse this share of the calls, whatever the load."""
    return lambda _now, _serving, chance: chance.random() >= share


def up_to(cap_at: Callable[[float], int]) -> Takes:
    """Serve at most so many calls at once, by the time."""
    return lambda now, serving, _chance: serving < cap_at(now)


class Bucket:
    """So many tokens per second, of which others take theirs first."""

    def __init__(self, rate: float, burst: float, others: float) -> None:
        self._rate, self._burst, self._others = rate, burst, others
        self._tokens, self._filled = burst, 0.0

    def __call__(self, now: float, _serving: int, chance: random.Random) -> bool:
        passed, self._filled = now - self._filled, now
        taken = chance.gauss(self._others * passed, (self._others * passed) ** 0.5)
        self._tokens = max(0.0, min(self._burst, self._tokens + self._rate * passed - taken))
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def asked(takes: Takes, rows: int, seed: int, latency: float = LATENCY) -> tuple[float, int]:
    """The seconds that `rows` answers take, and the refused calls; rows pause and are asked again.

    An answer takes `latency` seconds, half of it more or less.
    """
    chance, limiter, policy = random.Random(seed), Limiter(MOST), RetryPolicy()  # noqa: S311
    waiting = [(0.0, row, 0) for row in range(rows)]  # when it is due, and its tries
    ending: list[tuple[float, int, bool, int, int, int]] = []
    order, now, answered, serving, refused = itertools.count(), 0.0, 0, 0, 0
    while answered < rows:
        while waiting and waiting[0][0] <= now and (permit := limiter.start()) is not None:
            _, row, tries = heapq.heappop(waiting)
            taken = takes(now, serving, chance)
            serving += taken
            took = latency * (0.5 + chance.random()) if taken else REFUSAL
            heapq.heappush(ending, (now + took, next(order), taken, permit, row, tries + 1))
        if not ending or (waiting and now < waiting[0][0] < ending[0][0]):
            now = waiting[0][0]
            continue
        now, _, taken, permit, row, tries = heapq.heappop(ending)
        if taken:
            answered, serving = answered + 1, serving - 1
            limiter.succeeded()
            continue
        refused += 1
        limiter.throttled(permit)
        pause = policy.pause(1 if limiter.loses_by_chance else tries, chance)
        heapq.heappush(waiting, (now + pause, row, tries))
    return now, refused
