"""Queue of prompts: chooses the one that is asked next."""

import heapq
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple


class PromptJob(NamedTuple):
    """A prompt to ask; `spent_s`: the seconds of its calls and of the pauses after them so far.

    `overtaken`: a call that began later was answered before one of this row's timed out.
    """

    row: int
    tries: int = 0
    spent_s: float = 0.0
    overtaken: bool = False


class Jobs:
    """Prompts of one lane. The caller guards them against other threads and gives the time.

    Rows that were never asked go first: rows that fail again and again cannot keep them waiting.
    Of the others the one that has cost most goes first, so that rows are given up one after the
    other instead of all at once at the very end, for which one function's time may be too short.
    """

    def __init__(self, jobs: Iterable[PromptJob]) -> None:
        self._fresh: deque[PromptJob] = deque()
        self._again: list[tuple[float, PromptJob]] = []
        self._pausing: list[tuple[float, PromptJob]] = []
        for job in jobs:
            if job.tries:
                heapq.heappush(self._again, (-job.spent_s, job))
            else:
                self._fresh.append(job)

    def __bool__(self) -> bool:
        """True if there is any, asked now or later."""
        return bool(self._fresh or self._again or self._pausing)

    @property
    def fresh(self) -> int:
        """Rows that were never asked."""
        return len(self._fresh)

    def is_one_due(self, now: float) -> bool:
        """True if `take` has a job to give."""
        while self._pausing and self._pausing[0][0] <= now:
            job = heapq.heappop(self._pausing)[1]
            heapq.heappush(self._again, (-job.spent_s, job))
        return bool(self._fresh or self._again)

    def take(self) -> PromptJob:
        """The next of those that are due; raises IndexError where there is none."""
        return self._fresh.popleft() if self._fresh else heapq.heappop(self._again)[1]

    def put_back(self, job: PromptJob, due: float) -> None:
        """Ask again, at `due` at the soonest."""
        heapq.heappush(self._pausing, (due, job))

    def until_due(self, now: float) -> float:
        """Seconds until a pausing job is due; endless where none pauses."""
        return self._pausing[0][0] - now if self._pausing else float("inf")
