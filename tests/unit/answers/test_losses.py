"""Refusals that come whatever the load slow nobody down; a quota that others share is used up."""

import heapq
import itertools
import random
from collections.abc import Callable

import pytest

from nova_judge.answers.limiter import Limiter
from nova_judge.answers.retries import RetryPolicy

LATENCY = 0.05
REFUSAL = 0.001
MOST = 64
Takes = Callable[[float, random.Random], bool]


def by_chance(share: float) -> Takes:
    return lambda _now, chance: chance.random() >= share


class Bucket:
    """So many tokens per second, of which others take theirs first."""

    def __init__(self, rate: float, burst: float, others: float) -> None:
        self._rate, self._burst, self._others = rate, burst, others
        self._tokens, self._filled = burst, 0.0

    def __call__(self, now: float, chance: random.Random) -> bool:
        passed, self._filled = now - self._filled, now
        taken = chance.gauss(self._others * passed, (self._others * passed) ** 0.5)
        self._tokens = max(0.0, min(self._burst, self._tokens + self._rate * passed - taken))
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def seconds(takes: Takes, rows: int, seed: int) -> float:
    """How long `rows` answers take on a fake clock, with rows that pause and are asked again."""
    chance, limiter, policy = random.Random(seed), Limiter(MOST), RetryPolicy()  # noqa: S311
    waiting = [(0.0, row, 0) for row in range(rows)]  # when it is due, and its tries
    ending: list[tuple] = []
    order, now, answered = itertools.count(), 0.0, 0
    while answered < rows:
        while waiting and waiting[0][0] <= now and (permit := limiter.start()) is not None:
            _, row, tries = heapq.heappop(waiting)
            taken = takes(now, chance)
            took = LATENCY * (0.5 + chance.random()) if taken else REFUSAL
            heapq.heappush(ending, (now + took, next(order), taken, permit, row, tries + 1))
        if not ending or (waiting and now < waiting[0][0] < ending[0][0]):
            now = waiting[0][0]
            continue
        now, _, taken, permit, row, tries = heapq.heappop(ending)
        if taken:
            answered += 1
            limiter.succeeded()
            continue
        limiter.throttled(permit)
        pause = policy.pause(1 if limiter.loses_by_chance else tries, chance)
        heapq.heappush(waiting, (now + pause, row, tries))
    return now


@pytest.mark.parametrize(("share", "least"), [(0.05, 0.6), (0.3, 0.6), (0.6, 0.4), (0.9, 0.4)])
def test_refusals_by_chance_cost_little_more_than_the_calls_they_take(share, least):
    ideal = 1500 * LATENCY / MOST / (1 - share)
    taken = sorted(seconds(by_chance(share), 1500, seed) for seed in range(9))
    assert ideal / taken[4] >= least
    assert ideal / taken[-1] >= least / 2


@pytest.mark.parametrize(
    ("rate", "burst", "others"), [(200, 200, 0), (400, 50, 0), (600, 600, 200), (600, 100, 400)]
)
def test_a_quota_that_others_share_is_used_to_nine_tenths(rate, burst, others):
    ideal = (4000 - burst) / (rate - others)
    for seed in range(3):
        assert ideal / seconds(Bucket(rate, burst, others), 4000, seed) >= 0.9
