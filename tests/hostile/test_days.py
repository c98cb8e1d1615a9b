"""Days of runs, aborts and lost events on a clock of their own: no endpoint outlives its use.

Every function may be stopped between any two of its calls while others go on; threads take turns.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator

import pytest

from nova_judge.answers.hosting import Host, prepare, release, sweep, withdraw
from nova_judge.answers.leases import (
    GRACE_S,
    LONGEST_RUN_S,
    EndpointStatus,
    Hosted,
    Lease,
    Observed,
)

FULL = os.environ.get("NOVA_JUDGE_HOSTILE") == "full"
DAY, WATCH_S, STEP_S = 86_400.0, 900.0, 30.0
CONFIGS = {"ml.small": "config-small"}
Job = Callable[[], object]


class Turns:
    """Functions under way, one of which runs at a time, from one call to the next."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.now = 1_800_000_000.0
        self.faults: list[Exception] = []
        self._waiting: list[threading.Event] = []
        self._back = threading.Event()

    def begin(self, job: Job) -> None:
        mine = threading.Event()

        def run() -> None:
            self._pause(mine)
            self._local.mine = mine
            try:
                job()
            except Exception as error:
                self.faults.append(error)
            finally:
                self._back.set()

        threading.Thread(target=run, daemon=True).start()
        self._back.wait()
        self._back.clear()

    _local = threading.local()

    def call(self) -> None:
        """Before each call to AWS: others may go on meanwhile."""
        self._pause(self._local.mine)

    def _pause(self, mine: threading.Event) -> None:
        self._waiting.append(mine)
        self._back.set()
        mine.wait()
        mine.clear()

    def go_on(self) -> bool:
        """Let one of them make its next call; False where none is under way."""
        if not self._waiting:
            return False
        self._waiting.pop(self.chance.randrange(len(self._waiting))).set()
        self._back.wait()
        self._back.clear()
        return True


class World:
    """A lease book and SageMaker, as `hosting` sees them."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.entries: dict[str, dict[str, Lease]] = {}
        self.closing: set[str] = set()
        self.born: dict[str, float] = {}

    def read(self, name: str) -> Hosted | None:
        self._turns.call()
        if name not in self.entries:
            return None
        return Hosted(tuple(self.entries[name].values()), closing=name in self.closing)

    def join(self, name: str, lease: Lease) -> Hosted | None:
        self._turns.call()
        if name in self.closing:
            return None
        self.entries.setdefault(name, {})[lease.owner] = lease
        return Hosted(tuple(self.entries[name].values()))

    def leave(self, name: str, owner: str) -> bool:
        self._turns.call()
        self.entries.get(name, {}).pop(owner, None)
        if name in self.entries and not self.entries[name]:
            self.closing.add(name)
        return name in self.closing

    def note_without_capacity(self, name: str, config: str) -> None:
        raise AssertionError(f"{name}, {config}: there is capacity")

    def forget(self, name: str) -> None:
        self._turns.call()
        if name in self.closing:
            self.closing.remove(name)
            del self.entries[name]

    def observe(self, name: str) -> Observed:
        self._turns.call()
        if name not in self.born:
            return Observed(EndpointStatus.ABSENT)
        since = self.born[name]
        starting = self._turns.now - since < 300
        status = EndpointStatus.STARTING if starting else EndpointStatus.IN_SERVICE
        return Observed(status, "", since, "config-small")

    def create(self, name: str, config: str) -> None:
        self._turns.call()
        self.born.setdefault(name, self._turns.now)

    def delete(self, name: str) -> bool:
        self._turns.call()
        self.born.pop(name, None)
        return True

    def names(self, prefix: str) -> Iterator[str]:
        return iter([name for name in self.born if name.startswith(prefix)])


class Days:
    """Runs that start, work, end and are aborted."""

    def __init__(self, seed: int, lost: float) -> None:
        self.turns, self.lost = Turns(seed), lost
        self.world = World(self.turns)
        self.host = Host(self.world, self.world)
        self.ends: dict[str, float] = {}
        self.running: set[str] = set()
        self.in_flight: set[str] = set()
        self.ready: set[str] = set()
        self.unused_since: float | None = None
        self.longest_unused = 0.0

    def start(self, run: str) -> None:
        self.running.add(run)
        longest = self.turns.chance.choice([60, 1_200, 4 * 3_600, 5 * DAY if FULL else DAY])
        lasts = min(self.turns.chance.random() * longest, LONGEST_RUN_S)
        self.ends[run] = self.turns.now + lasts

    def ask(self, run: str) -> None:
        """PrepareEndpoints, once."""
        try:
            lease = Lease(run, self.turns.now + DAY * 4)
            if prepare(self.host, "e", lambda: CONFIGS, lease, self.turns.now):
                self.ready.add(run)
        finally:
            self.turns.call()
            if run not in self.running:
                withdraw(self.host, "e", run)
            self.in_flight.remove(run)

    def end(self, run: str) -> None:
        """The run's last state, or the event of its abort: the latter may be lost."""
        self.running.remove(run)
        self.ready.discard(run)
        if self.turns.chance.random() >= self.lost:
            self.turns.begin(lambda: release(self.host, "e", run))

    def watch(self) -> None:
        sweep(self.host, ["e"], lambda run: run in self.running, self.turns.now)

    def pass_days(self, days: int) -> None:
        chance, number = self.turns.chance, 0
        until, watch_at = self.turns.now + days * DAY, self.turns.now
        while self.turns.now < until or self.running:
            if self.turns.now < until and chance.random() < 0.01:
                number += 1
                self.start(f"run-{number}")
            for run in sorted(self.running):
                if self.turns.now >= self.ends[run]:
                    self.end(run)
                elif run not in self.ready | self.in_flight:
                    self.in_flight.add(run)
                    self.turns.begin(lambda run=run: self.ask(run))
            if self.turns.now >= watch_at:
                watch_at += WATCH_S
                self.turns.begin(self.watch)
            for _ in range(chance.choice([0, 1, 2, 20])):
                self.turns.go_on()
            self._look()
            self.turns.now += STEP_S

    def _look(self) -> None:
        """Note for how long the endpoint has been up without a run that it is for."""
        if "e" not in self.world.born or self.running or self.in_flight:
            self.unused_since = None
            return
        self.unused_since = self.unused_since or self.turns.now
        self.longest_unused = max(self.longest_unused, self.turns.now - self.unused_since)


@pytest.mark.parametrize("seed", range(20 if FULL else 2))
@pytest.mark.parametrize(
    ("lost", "longest_s"), [(0.0, 10 * 60), (0.3, 2 * WATCH_S + GRACE_S + 10 * 60)]
)
def test_no_endpoint_outlives_its_runs(seed: int, lost: float, longest_s: float) -> None:
    """Without lost events the watchdog has nothing to do; ten minutes let functions be slow."""
    days = Days(seed, lost)
    days.pass_days(12 if FULL else 3)
    assert days.longest_unused <= longest_s
    assert (days.turns.faults, bool(days.ends)) == ([], True)
