"""Rules for failed calls: whether to ask again, and how long to wait before."""

import random
import re
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
    if status == UNPAID_STATUS or (status in THROTTLING_STATUSES and _OF_CREDIT.search(detail)):
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
