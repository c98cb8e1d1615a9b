"""Results of checks before a run, and the stand-in for a fact that AWS did not give."""

from typing import Literal, NamedTuple, TypeAlias

CheckStatus: TypeAlias = Literal["pass", "warn", "fail", "not run"]


class Check(NamedTuple):
    """One check: what was found, and what to do about it. `not run` says why in `finding`."""

    name: str
    status: CheckStatus
    finding: str
    advice: str = ""


class NotRead(NamedTuple):
    """A fact that could not be read, and why: never taken for an answer."""

    reason: str
