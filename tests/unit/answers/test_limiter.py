"""The limiter finds a hidden cap, wastes little on it, and follows it when it moves."""

import heapq
import itertools
import threading

import pytest

from nova_judge.answers.limiter import FEW, FIRST_LIMIT, Limiter


def simulate(limiter, cap_at, calls, latency=1.0, refusal_latency=0.01):
    """Serve `calls` answers on a fake clock; returns (seconds, refused calls)."""
    now, done, refused = 0.0, 0, 0
    serving = 0
    events, order = [], itertools.count()
    while done < calls:
        while (permit := limiter.start()) is not None:
            admitted = serving < cap_at(now)
            serving += admitted
            # Spread out as real latencies are, or all calls would end in the same instant.
            took = (
                latency * (0.9 + 0.2 * ((next(order) * 0.618) % 1)) if admitted else refusal_latency
            )
            heapq.heappush(events, (now + took, next(order), admitted, permit))
        now, _, admitted, permit = heapq.heappop(events)
        if admitted:
            serving -= 1
            done += 1
            limiter.succeeded()
        else:
            refused += 1
            limiter.throttled(permit)
    return now, refused


def test_without_push_back_the_limit_reaches_the_most_in_a_few_round_trips():
    limiter = Limiter(most=64, first=8)
    seconds, refused = simulate(limiter, lambda now: 1000, calls=64 * 20)
    assert (limiter.limit, refused) == (64, 0)
    assert seconds < 20 * 1.15


@pytest.mark.parametrize("cap", [1, 2, 5, 15, 40, 63])
def test_a_hidden_cap_is_used_to_nine_tenths_with_few_wasted_calls(cap):
    calls = cap * 200
    seconds, refused = simulate(Limiter(most=64), lambda now: cap, calls)
    assert calls / cap / seconds >= 0.95
    first_burst = max(0, FIRST_LIMIT - cap)
    assert refused - first_burst <= calls * (0.005 if cap >= 40 else 0.25 / cap)


def test_a_cap_that_falls_and_rises_again_is_followed():
    def cap(now):
        return 15 if 60 <= now < 120 else 40

    served = 60 * 40 + 60 * 15 + 60 * 40
    seconds, refused = simulate(Limiter(most=64), cap, served)
    assert 180 / seconds >= 0.9
    assert refused <= served * 0.01


def test_refusals_of_one_round_trip_count_once():
    limiter = settled_at(40)
    permits = [limiter.start() for _ in range(40)]
    for permit in permits[:5]:
        limiter.throttled(permit)
    assert limiter.limit == pytest.approx(36)
    while (permit := limiter.start()) is None:
        limiter.released()
    limiter.throttled(permit)
    assert limiter.limit == pytest.approx(36 * 0.9)


def test_an_overshoot_of_slow_start_is_taken_back_in_one_round_trip():
    limiter = Limiter(most=64, first=64)
    permits = [limiter.start() for _ in range(64)]
    for permit in permits[40:]:
        limiter.throttled(permit)
    assert (limiter.limit, limiter.in_flight) == (40, 40)


def settled_at(limit):
    """A limiter past slow start, with nothing in flight."""
    limiter = Limiter(most=limit, first=limit)
    limiter.throttled(limiter.start())
    for _ in range(100_000):
        while limiter.start() is not None:
            pass
        limiter.succeeded()
    while limiter.in_flight:
        limiter.released()
    assert limiter.limit == limit
    return limiter


def test_the_limit_never_falls_below_one():
    limiter = Limiter(most=8)
    for _ in range(100):
        limiter.throttled(limiter.start())
    assert limiter.limit == 1
    assert limiter.start() is not None
    assert limiter.start() is None


def test_slow_calls_lower_the_limit_as_refusals_do_but_leave_a_few():
    slowed, throttled = settled_at(40), settled_at(40)
    slowed.slowed(slowed.start())
    throttled.throttled(throttled.start())
    assert slowed.limit == throttled.limit
    for _ in range(100):
        slowed.slowed(slowed.start())
    assert (slowed.limit, slowed.in_flight) == (FEW, 0)


@pytest.mark.parametrize("settled", [1, 3])
def test_slow_calls_do_not_raise_what_refusals_have_lowered(settled):
    limiter = settled_at(settled)
    limiter.slowed(limiter.start())
    assert (limiter.limit, limiter.in_flight) == (settled, 0)


def test_a_limit_that_is_not_used_does_not_grow():
    limiter = Limiter(most=64, first=8)
    for _ in range(100):
        limiter.start()
        limiter.succeeded()
    assert limiter.limit == 8


def test_a_failure_that_is_not_about_load_leaves_the_limit():
    limiter = Limiter(most=64, first=8)
    limiter.start()
    limiter.released()
    assert (limiter.limit, limiter.in_flight) == (8, 0)


def test_threads_never_exceed_the_limit():
    limiter = Limiter(most=5, first=5)
    seen = []

    def work():
        for _ in range(2000):
            permit = limiter.start()
            if permit is not None:
                seen.append(limiter.in_flight)
                limiter.succeeded()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(seen) <= 5
    assert limiter.in_flight == 0
