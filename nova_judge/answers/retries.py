"""Rules for failed calls: whether to ask again, how long to wait before, and what to ask next."""

import heapq
import random
import re
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

DETAIL_CHARACTERS = 300  # that are kept of what a service says of a failure
PASSING_STATUSES = frozenset({408, 409, 424, 425})
THROTTLING_STATUSES = frozenset({429, 503})
THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "ModelNotReadyException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes that some services send with status 400; botocore holds them for throttling too."""
SHUT_STATUSES = frozenset({401, 403, 404})
_OF_A_DAY = re.compile(r"per day|\bdaily\b", re.IGNORECASE)
_OF_CREDIT = re.compile(r"insufficient[_ ](?:quota|credits?|balance|funds)|current quota", re.I)
_SOON = re.compile(r"(?:retry|try again) (?:in|after) \d|per ?minute|/rate-limits", re.I)
"""In what Gemini says of a quota of a minute, in OpenAI's words for a credit that is used up."""
UNPAID_STATUS = 402
_OF_THE_PROMPT = re.compile(r"too (long|large)|context|safety|blocked|filter", re.IGNORECASE)


class Outlook(StrEnum):
    """Prospect of asking the same again after a failure."""

    THROTTLED = "throttled"
    """Again, and fewer at once."""
    PASSING = "passing"
    """Again: another try may well succeed."""
    REFUSED = "refused"
    """Never: this request cannot succeed."""
    SHUT = "shut"
    """Again, but not for long: what speaks against this request speaks against every other."""
    GONE = "gone"
    """Not now: for a while already nobody takes connections at the server's address."""
    SPENT = "spent"
    """Not today: a quota of the day is used up."""
    UNPAID = "unpaid"
    """Not before somebody pays: the account's credit is used up."""


class CallFailure(NamedTuple):
    """One failed call. `reason` comes from a small set, so that failures can be grouped."""

    reason: str
    outlook: Outlook
    detail: str = ""


class CallFailed(Exception):  # noqa: N818 - a signal between a port and its caller, never shown
    """Error that a port raises instead of giving an answer."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


TIMED_OUT = CallFailure("timed out", Outlook.THROTTLED)
CUT_BEFORE_TEXT = CallFailure("no answer within max_tokens", Outlook.REFUSED)
"""All tokens went into thoughts, or into nothing."""
CONNECTION_BROKEN = CallFailure("connection broken", Outlook.PASSING)
UNREACHED = CallFailure("nobody takes connections", Outlook.GONE)
CUT_SHORT = CallFailure("answer cut short", Outlook.PASSING)
EMPTY = CallFailure("empty answer", Outlook.REFUSED)


def withheld(why: str) -> CallFailure:
    """A filter or guardrail kept the answer back; `why` is the service's word for it."""
    return CallFailure(f"withheld: {why}", Outlook.REFUSED)


def speaks_of_every_row(failure: CallFailure) -> bool:
    """True if a refusal is about the request's settings or the account, as far as its words tell.

    "Too long" is about one prompt, `temperature is deprecated` about all.
    """
    is_status = failure.reason.startswith("4")
    about_settings = bool(failure.detail) and not _OF_THE_PROMPT.search(failure.detail)
    return failure.outlook is Outlook.REFUSED and is_status and about_settings


def by_status(
    status: int, code: str = "", detail: str = "", original: int | None = None
) -> CallFailure:
    """The failure that an HTTP status and an AWS error code stand for.

    `original` is the status inside a SageMaker or Bedrock `ModelError` (424): what the model server
    itself said, and therefore what counts. Not every 424 carries one.
    """
    if original is not None and original != status:
        return by_status(original, detail=detail)
    reason = f"{status} {code}".strip()
    unpaid = _OF_CREDIT.search(detail) and not _SOON.search(detail)
    if status == UNPAID_STATUS or (status in THROTTLING_STATUSES and unpaid):
        return CallFailure(reason, Outlook.UNPAID, detail)
    if status in THROTTLING_STATUSES or code in THROTTLING_CODES:
        outlook = Outlook.SPENT if _OF_A_DAY.search(detail) else Outlook.THROTTLED
        return CallFailure(reason, outlook, detail)
    if status >= 500 or status in PASSING_STATUSES:
        return CallFailure(reason, Outlook.PASSING, detail)
    outlook = Outlook.SHUT if status in SHUT_STATUSES else Outlook.REFUSED
    return CallFailure(reason, outlook, detail)


class RetryPolicy(NamedTuple):
    """Limits at which a row is given up: the one that it reaches first. Times are in seconds.

    So many tries because a failed call is cheap and a row is not: with 9 of 10 calls failing, 300
    tries lose one row in 50 trillion. `patience_s`, in a row's own calls and pauses, is what ends
    the wait for an endpoint that does not come back; it does not run while other rows are asked. An
    answer slower than `slow_s` may count as push-back (see `limiter.Pace`): a server that queues
    instead of refusing would otherwise be asked for ever more, until calls time out whose answers
    it has half written.
    """

    most_tries: int = 300
    patience_s: float = 600.0
    backoff_first_s: float = 0.1
    backoff_most_s: float = 4.0
    slow_s: float = 30.0

    def pause(self, tries: int, chance: random.Random) -> float:
        """Seconds to wait after `tries` failed tries: full jitter.

        Uniform between 0 and an exponentially growing cap
        (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
        """
        cap = min(self.backoff_most_s, self.backoff_first_s * 2.0 ** min(tries - 1, 30))
        return chance.uniform(0.0, cap)

    def gives_up(self, failure: CallFailure, tries: int, spent_s: float) -> bool:
        """True if a row that failed `tries` times at the cost of `spent_s` is not asked again."""
        if failure.outlook is Outlook.REFUSED:
            return True
        return tries >= self.most_tries or spent_s >= self.patience_s


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
