"""Checks that the Bedrock models of a recipe can be called: lifecycle, and the account's access."""

import datetime
import difflib
from collections.abc import Sequence
from typing import Literal, NamedTuple

from nova_judge.check import Check, NotRead

GEOGRAPHIES = frozenset(
    {"us", "us-gov", "eu", "apac", "jp", "au", "ca", "sa", "me", "af", "in", "global"}
)
"""What begins the ids of inference profiles."""
SOON = datetime.timedelta(days=60)
_PROFILES = {
    "us-gov-": ("us-gov",),
    "us-": ("us", "global"),
    "ca-": ("ca", "us", "global"),
    "eu-": ("eu", "global"),
    "ap-northeast-1": ("jp", "apac", "global"),
    "ap-northeast-3": ("jp", "apac", "global"),
    "ap-southeast-2": ("au", "apac", "global"),
    "ap-southeast-4": ("au", "apac", "global"),
    "ap-": ("apac", "global"),
}
_ANY = ("global",)


class Access(NamedTuple):
    """Access of an account to a model, as Bedrock states it; `form`: Anthropic's form is sent,
    `here`: the region has the model.

    None where it was not asked, or does not tell. The account may call a model of another
    provider without an agreement once: the first call subscribes to it, if the caller may.
    """

    agreement: str | None = None
    authorized: bool | None = None
    form: bool | None = None
    here: bool | None = None


class ModelFacts(NamedTuple):
    """A Bedrock model. `on_demand`: its own id can be called, without an inference profile.

    `trouble`: why a model of the account's own cannot be called.
    """

    lifecycle: Literal["ACTIVE", "LEGACY", "ABSENT"]
    end_of_life: datetime.datetime | None = None
    on_demand: bool = True
    access: Access = Access()
    trouble: str | None = None


def model_check(
    name: str,
    facts: ModelFacts | NotRead,
    now: datetime.datetime,
    offered: Sequence[str] = (),
    region: str | None = None,
) -> Check:
    """Check that one model can be called now, and for how long; `offered` are those that can."""
    named = _region_of(name)
    if named and region and named != region:
        reason = f"its ARN is of {named}, where this asks {region}"
        return Check(name, "warn", reason, f"name a model of {region}, or deploy in {named}")
    if isinstance(facts, NotRead):
        return Check(name, "not run", facts.reason)
    ended = facts.end_of_life
    if facts.lifecycle == "ABSENT" or (ended is not None and ended <= now):
        when = f" since {ended:%Y-%m-%d}" if ended else ""
        reason = f"Bedrock does not offer it here{when}{_near(name, offered)}"
        return Check(name, "fail", reason, "name its successor in the recipe")
    trouble = _trouble(name, facts, offered, region or "")
    if (problem := trouble or _access(name, facts.access)) is not None:
        return problem
    if facts.lifecycle == "LEGACY" or (ended is not None and ended - now < SOON):
        when = f" and ends on {ended:%Y-%m-%d}" if ended else ""
        reason = f"it is {facts.lifecycle.lower()}{when}"
        return Check(name, "warn", reason, "plan for its successor")
    return Check(name, "pass", "active")


def _region_of(name: str) -> str:
    """The region in an ARN; empty for an id, and for an ARN without one."""
    parts = name.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def _near(name: str, offered: Sequence[str]) -> str:
    """The ids that look like the name, of those that the account lists."""
    near = difflib.get_close_matches(name, list(offered), n=3, cutoff=0.6)
    return f". Did you mean {', '.join(near)}?" if near else ""


def _trouble(name: str, facts: ModelFacts, offered: Sequence[str], region: str) -> Check | None:
    """Check for reasons why the model cannot be called by this name."""
    if facts.trouble:
        return Check(name, "fail", facts.trouble, "wait until it is ready, or name another model")
    if not facts.on_demand:
        reason = "it is called through an inference profile only"
        profiles = [each for each in offered if each.endswith(f".{name}")]
        # The words that begin the ids of profiles which a region may call, the nearest first.
        words = next(
            (words for place, words in _PROFILES.items() if region.startswith(place)), _ANY
        )
        named = " or ".join(profiles or [f"{begins}.{name}" for begins in words])
        return Check(name, "fail", reason, f"write {named}")
    return None


def _access(name: str, access: Access) -> Check | None:
    """Check for what stands between the account and the model, if anything does."""
    if access.authorized is False:
        return Check(
            name,
            "fail",
            "the account is not authorized to call it (NOT_AUTHORIZED)",
            "look for a service control policy, or IAM's permissions boundary, that denies Bedrock",
        )
    if access.here is False:
        reason = "Bedrock says that this region does not have it (regionAvailability NOT_AVAILABLE)"
        return Check(name, "warn", reason, "name a profile that this region may call")
    if access.agreement in (None, "AVAILABLE"):
        return None
    form = ", and fills in Anthropic's use-case form" if access.form is False else ""
    return Check(
        name,
        "warn",
        f"the account has no agreement for it yet ({access.agreement})",
        f"once, somebody with aws-marketplace:Subscribe calls it in Bedrock's playground{form}: "
        "the first call subscribes, and the functions' roles may not",
    )
