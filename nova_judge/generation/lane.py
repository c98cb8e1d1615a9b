"""One candidate's calls: a queue of prompts, a limiter and the threads that ask."""

import heapq
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.errors import GenerationFailedError
from nova_judge.generation.answers import FailedAnswer, Journal, Outcome, Port
from nova_judge.generation.limiter import Limiter, Permit
from nova_judge.generation.retries import CallFailed, Failure, Outlook, RetryPolicy

LONGEST_WAIT_S = 0.5
"""How often an idle thread looks whether the time is up."""
SHUT_AFTER = 20
"""Calls in a row that found the candidate shut, after which no more are made."""


class Job(NamedTuple):
    """A prompt to ask; `begun` is the monotonic time of its first call."""

    row: int
    tries: int = 0
    begun: float | None = None


class Turn(NamedTuple):
    """Leave to make one call for one job."""

    job: Job
    permit: Permit


class Gate:
    """Whether a call may still be begun; one for all lanes of a shard."""

    def __init__(self, may_begin: Callable[[], bool]) -> None:
        self._may_begin = may_begin
        self._closed = threading.Event()

    def is_open(self) -> bool:
        """Whether there is time for one more call and nothing went wrong."""
        return not self._closed.is_set() and self._may_begin()

    def close(self) -> None:
        """Let no further call begin."""
        self._closed.set()


class Lane:
    """Asks one candidate every prompt, as many at once as its limiter allows.

    `outcomes` holds one entry a prompt, None where the gate closed first. The journal has each
    answer before it is put there. A fault of ours closes the gate for all lanes that share it.
    """

    def __init__(
        self,
        name: str,
        prompts: Sequence[str],
        port: Port,
        journal: Journal,
        limiter: Limiter,
        policy: RetryPolicy,
        gate: Gate,
    ) -> None:
        self.outcomes: list[Outcome | None] = [None] * len(prompts)
        self._name = name
        self._prompts = prompts
        self._port = port
        self._journal = journal
        self._limiter = limiter
        self._policy = policy
        self._gate = gate
        self._changed = threading.Condition()
        self._fresh = deque(Job(row) for row in range(len(prompts)))
        self._again: list[tuple[float, Job]] = []
        self._out = 0
        self._shut = 0
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def start(self, threads: int) -> None:
        """Begin, with at most `threads` calls at once."""
        for _ in range(min(threads, len(self._prompts))):
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until no call is in flight and none will be begun."""
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        """Raise what stopped this lane, if anything did."""
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
        while (turn := self._take()) is not None:
            try:
                self._call(turn, chance)
            except BaseException as error:
                self._error = error
                self._gate.close()
            finally:
                with self._changed:
                    self._out -= 1
                    self._changed.notify()

    def _take(self) -> Turn | None:
        """The next call to make, as soon as there is one and the limiter lets it pass."""
        with self._changed:
            while True:
                if not (self._fresh or self._again or self._out):
                    self._changed.notify_all()
                    return None
                if not self._gate.is_open():
                    return None
                turn = self._next_turn()
                if turn is not None:
                    self._out += 1
                    return turn
                self._changed.wait(self._until_due())

    def _next_turn(self) -> Turn | None:
        due = bool(self._again) and self._again[0][0] <= time.monotonic()
        if not (due or self._fresh):
            return None
        permit = self._limiter.start()
        if permit is None:
            return None
        job = heapq.heappop(self._again)[1] if due else self._fresh.popleft()
        return Turn(job, permit)

    def _until_due(self) -> float:
        if not self._again:
            return LONGEST_WAIT_S
        return min(LONGEST_WAIT_S, max(0.001, self._again[0][0] - time.monotonic()))

    def _call(self, turn: Turn, chance: random.Random) -> None:
        row, tries = turn.job.row, turn.job.tries + 1
        started = time.monotonic()
        try:
            answer = self._port.ask(self._prompts[row])
        except CallFailed as failed:
            job = Job(row, tries, turn.job.begun or started)
            self._failed(job, failed.failure, turn.permit, chance)
            return
        latency = round(time.monotonic() - started, 3)
        if latency > self._policy.slow_s:
            self._limiter.throttled(turn.permit)
        else:
            self._limiter.succeeded()
        answer = msgspec.structs.replace(answer, tries=tries, latency_s=latency)
        self._journal.add(self._prompts[row], answer)
        self._shut = 0
        self.outcomes[row] = answer

    def _failed(self, job: Job, failure: Failure, permit: Permit, chance: random.Random) -> None:
        if failure.outlook is Outlook.THROTTLED:
            self._limiter.throttled(permit)
        else:
            self._limiter.released()
        if failure.outlook is Outlook.SHUT:
            self._count_shut(failure)
        now = time.monotonic()
        if not self._policy.gives_up(failure, job.tries, now - (job.begun or now)):
            due = now + self._policy.pause(job.tries, chance)
            with self._changed:
                heapq.heappush(self._again, (due, job))
            return
        self.outcomes[job.row] = FailedAnswer(failure.reason, job.tries, failure.detail)

    def _count_shut(self, failure: Failure) -> None:
        self._shut += 1
        if self._shut >= SHUT_AFTER:
            raise GenerationFailedError(
                f"{self._name}: {self._shut} calls in a row were refused "
                f"({failure.reason}: {failure.detail}). Check that the model or endpoint exists in "
                "this region and that the function's role may call it"
            )
