"""One candidate's calls: a queue of prompts, a limiter and the threads that ask."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.answers.answers import AnswerOutcome, FailedAnswer, Journal, Port, Setback
from nova_judge.answers.limiter import Limiter, Pace, Permit
from nova_judge.answers.retries import (
    TIMED_OUT,
    CallFailed,
    CallFailure,
    Jobs,
    Outlook,
    PromptJob,
    RetryPolicy,
    speaks_of_every_row,
)
from nova_judge.errors import GenerationFailedError
from nova_judge.text import count_of

MOST_THREADS = 64
LONGEST_WAIT_S = 0.5
"""How often an idle thread looks whether the time is up."""
SHUT_AFTER = 20
"""Calls in a row that found the candidate shut, or the day's quota spent, and refusals in the same
words before any answer, after which no more are made."""


class AnswerSource(NamedTuple):
    """One candidate that answers by calls, where its answers are kept and how long it is tried."""

    port: Port
    journal: Journal
    policy: RetryPolicy = RetryPolicy()
    call_timeout_s: float = 60.0
    threads: int = MOST_THREADS


class CallTurn(NamedTuple):
    """Leave to make one call for one job."""

    job: PromptJob
    permit: Permit


class Gate:
    """Gate that lets calls begin while there is time; one for all lanes of a shard."""

    def __init__(self, may_begin: Callable[[], bool]) -> None:
        self._may_begin = may_begin
        self._closed = threading.Event()

    def is_open(self) -> bool:
        """True if there is time for one more call and nothing went wrong."""
        return not self._closed.is_set() and self._may_begin()

    def close(self) -> None:
        """Let no further call begin."""
        self._closed.set()


class Lane:
    """Asks one candidate every prompt, as many at once as its limiter allows.

    `outcomes` holds one entry per prompt, None where the gate closed first. The journal has each
    answer before it is put there. `setbacks` begins with what prompts cost before, and ends with
    what those have cost that got no answer. A fault of ours closes the gate for all lanes that
    share it.
    """

    def __init__(
        self,
        name: str,
        prompts: Sequence[str],
        source: AnswerSource,
        gate: Gate,
        setbacks: Mapping[str, Setback],
    ) -> None:
        self.prompts = prompts
        self.outcomes: list[AnswerOutcome | None] = [None] * len(prompts)
        self.setbacks = dict(setbacks)
        self._name = name
        self._source = source
        self._gate = gate
        self.throttles = 0
        self._limiter = Limiter(source.threads)
        self._pace = Pace(source.policy.slow_s)
        self._changed = threading.Condition()
        self._jobs = Jobs(_job(row, setbacks.get(prompt)) for row, prompt in enumerate(prompts))
        self._out = 0
        self._calls = 0
        self._answered = 0.0  # when the latest call began that was answered at a good pace
        self._last: CallFailure | None = None
        self._served = False
        self._hopeless = 0
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, with at most as many calls at once as the source has threads."""
        for _ in range(min(self._source.threads, len(self.prompts))):
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

    @property
    def most_in_flight(self) -> int:
        """Calls that the limiter now lets be under way at once."""
        return int(self._limiter.limit)

    def require_progress(self) -> None:
        """Raises GenerationFailedError where no row was ended and some were not even asked.

        Another call with as much time would bring nothing either, and so for ever. Where all were
        asked, what they cost is stored, and comes to an end.
        """
        if any(self.outcomes) or not self._jobs.fresh:
            return
        if self._last is None:
            raise GenerationFailedError(
                f"{self._name}: the time was over before the first call could begin: lower "
                "generation.call_timeout_s, or shards.bytes"
            )
        raise GenerationFailedError(
            f"{self._name}: {count_of(len(self.outcomes), 'row is', 'rows are')} left, and not "
            f"one of {self._calls:,} calls in the whole time of one function brought an answer; "
            f"last: {self._last.reason}"
        )

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

    def _take(self) -> CallTurn | None:
        """The next call to make, as soon as there is one and the limiter lets it pass."""
        with self._changed:
            while True:
                if not (self._jobs or self._out):
                    self._changed.notify_all()
                    return None
                if not self._gate.is_open():
                    return None
                turn = self._next_turn()
                if turn is not None:
                    self._out += 1
                    self._calls += 1
                    return turn
                self._changed.wait(self._until_due())

    def _next_turn(self) -> CallTurn | None:
        if not self._jobs.is_one_due(time.monotonic()):
            return None
        permit = self._limiter.start()
        return None if permit is None else CallTurn(self._jobs.take(), permit)

    def _until_due(self) -> float:
        return min(LONGEST_WAIT_S, max(0.001, self._jobs.until_due(time.monotonic())))

    def _call(self, turn: CallTurn, chance: random.Random) -> None:
        row, tries, spent_s, overtaken = turn.job
        prompt = self.prompts[row]
        started = time.monotonic()
        try:
            answer = self._source.port.ask(prompt)
        except CallFailed as failed:
            overtaken = overtaken or (failed.failure == TIMED_OUT and started < self._answered)
            job = PromptJob(row, tries + 1, spent_s + time.monotonic() - started, overtaken)
            self._failed(job, failed.failure, turn.permit, chance)
            return
        latency = round(time.monotonic() - started, 3)
        if self._pace.is_slow(latency, answer.output_tokens):
            self._limiter.slowed(turn.permit)
        else:
            self._limiter.succeeded()
            self._answered = max(self._answered, started)
        answer = msgspec.structs.replace(answer, tries=tries + 1, latency_s=latency)
        self._source.journal.add(prompt, answer)
        self._hopeless = 0
        self._served = True
        self.setbacks.pop(prompt, None)
        self.outcomes[row] = answer

    def _failed(
        self, job: PromptJob, failure: CallFailure, permit: Permit, chance: random.Random
    ) -> None:
        before, self._last = self._last, failure
        self._end(failure, permit, overtaken=job.overtaken)
        self._count_hopeless(failure, before)
        if self._source.policy.gives_up(failure, job.tries, job.spent_s):
            failed = FailedAnswer(failure.reason, job.tries, failure.detail)
            self._set_back(job, failed)
            self.outcomes[job.row] = failed
            return
        # The limiter already holds calls back as far as that helps.
        by_chance = failure.outlook is Outlook.THROTTLED and self._limiter.loses_by_chance
        pause = self._source.policy.pause(1 if by_chance else job.tries, chance)
        job = job._replace(spent_s=job.spent_s + pause)
        self._set_back(job)
        with self._changed:
            self._jobs.put_back(job, time.monotonic() + pause)

    def _end(self, failure: CallFailure, permit: Permit, *, overtaken: bool) -> None:
        """Tell the limiter what a failed call says about load."""
        if failure == TIMED_OUT and not overtaken:
            self._limiter.slowed(permit)
        elif failure != TIMED_OUT and failure.outlook is Outlook.THROTTLED:
            self.throttles += 1
            self._limiter.throttled(permit)
        else:
            self._limiter.released()

    def _set_back(self, job: PromptJob, failed: FailedAnswer | None = None) -> None:
        setback = Setback(job.tries, job.spent_s, failed, job.overtaken)
        self.setbacks[self.prompts[job.row]] = setback

    def _count_hopeless(self, failure: CallFailure, before: CallFailure | None) -> None:
        """Raises GenerationFailedError where so many calls ended in a way that all others would."""
        if failure.outlook is Outlook.GONE:
            said = f"{failure.reason} ({failure.detail})"
            raise GenerationFailedError(f"{self._name}: {said}. {_GONE}")
        if failure.outlook in _REMEDY:
            self._hopeless += 1
        elif not self._served and speaks_of_every_row(failure):
            self._hopeless = self._hopeless + 1 if before == failure else 1
        else:
            return
        if self._hopeless >= SHUT_AFTER:
            raise GenerationFailedError(
                f"{self._name}: {self._hopeless} calls in a row were refused "
                f"({failure.reason}: {failure.detail}). {_REMEDY.get(failure.outlook, _ALIKE)}"
            )


_REMEDY = {
    Outlook.SHUT: "Check that the model or endpoint exists in this region and that the function's "
    "role may call it",
    Outlook.SPENT: "The account's quota of the day is used up: start the run again tomorrow, or "
    "request more in Service Quotas (Amazon Bedrock, “tokens per day”). What was answered is kept, "
    "and only the rest is asked then",
    Outlook.UNPAID: "The account's credit with the server is used up: add to it and start the run "
    "again. What was answered is kept, and only the rest is asked then",
}
_GONE = (
    "Is the server up, and is that its address? What was answered is kept: once it is up, start "
    "the run again, and only the rest is asked"
)
_ALIKE = (
    "Every row is asked in the same way and would be refused too: change what it names in "
    "the recipe"
)


def _job(row: int, setback: Setback | None) -> PromptJob:
    if setback is None:
        return PromptJob(row)
    return PromptJob(row, setback.tries, setback.spent_s, setback.overtaken)
