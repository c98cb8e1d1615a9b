"""Rules, without AWS, for who needs an endpoint and what to do next with it.

An endpoint exists as long as somebody holds a lease on it. Runs hold one while they generate; a
person holds one for some hours (`nova-judge endpoints up`).
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

LONGEST_RUN_S = 4 * 86_400.0
"""Seconds after which a run's lease is too old: the time limit of the state machine."""
LONGEST_START_S = 45 * 60.0
GRACE_S = 10 * 60.0
"""How long the watchdog lets something stand that it cannot explain yet."""
PERSON = "person/"
STALLED = "not in service after"
_NO_CAPACITY = re.compile(
    r"InsufficientInstanceCapacity|CapacityError|ResourceLimitExceeded|insufficient capacity"
    r"|unable to provision|instance type.*not (supported|available|offered)",
    re.IGNORECASE,
)


class EndpointStatus(StrEnum):
    """Status of an endpoint at SageMaker, as far as it matters here."""

    ABSENT = "absent"
    STARTING = "starting"
    IN_SERVICE = "in service"
    FAILED = "failed"
    DELETING = "deleting"


class Observed(NamedTuple):
    """An endpoint as it is now; `since` is when it was created (epoch seconds).

    `config` names the EndpointConfig that it was created from.
    """

    status: EndpointStatus
    reason: str = ""
    since: float = 0.0
    config: str = ""


class Lease(msgspec.Struct, frozen=True):
    """`owner` is a run id, or `person/<name>`; `until` in epoch seconds."""

    owner: str
    until: float


class Hosted(msgspec.Struct, frozen=True):
    """Entry of one endpoint. `without_capacity`: the EndpointConfigs found so.

    `closing`: its last lease ended and it is being deleted, so that nobody may join it any more.
    """

    leases: tuple[Lease, ...] = ()
    without_capacity: frozenset[str] = frozenset()
    closing: bool = False


class Action(NamedTuple):
    """What is to be done for a leased endpoint.

    Nothing, where it is `ready` and answers; `wait` and look again later, where something is under
    way; `create` it on this instance type; `try next`: delete what failed for want of capacity, and
    try the next instance type then; `give up`, where it cannot be started, for this reason.
    """

    step: Literal["ready", "wait", "create", "try next", "give up"]
    instance_type: str = ""
    reason: str = ""


def next_action(
    observed: Observed,
    without_capacity: Collection[str],
    configs: Mapping[str, str],
    now: float,
) -> Action:
    """Choose the action that brings a leased endpoint one step nearer to service.

    `configs` maps instance types, in the order of preference, to EndpointConfigs. Other runs may
    have asked for the endpoint on instance types of their own: what they began is waited for.
    """
    if observed.status is EndpointStatus.IN_SERVICE:
        return Action("ready")
    if observed.status is EndpointStatus.DELETING:
        return Action("wait")
    if observed.status is EndpointStatus.STARTING:
        stalled = now - observed.since > LONGEST_START_S
        too_long = f"{STALLED} {LONGEST_START_S / 60:.0f} minutes"
        return Action("give up", reason=too_long) if stalled else Action("wait")
    if observed.status is EndpointStatus.FAILED:
        step: Literal["try next", "give up"] = (
            "try next" if lacks_capacity(observed.reason) else "give up"
        )
        return Action(step, reason=observed.reason)
    for instance_type, config in configs.items():
        if config not in without_capacity:
            return Action("create", instance_type)
    tried = ", ".join(configs)
    return Action(
        "give up",
        reason=f"no capacity, no quota or no such instance for any of {tried}; `nova-judge doctor` "
        "shows quotas; try later, or in another region",
    )


def lacks_capacity(reason: str) -> bool:
    """True if another instance type may succeed where this one failed."""
    return _NO_CAPACITY.search(reason) is not None


def is_person(lease: Lease) -> bool:
    """True if a person holds the lease, and not a run."""
    return lease.owner.startswith(PERSON)


def has_ended(lease: Lease, *, run_is_running: bool, now: float) -> bool:
    """True if a lease no longer counts: too old, or its run is no longer running."""
    return now > lease.until or not (is_person(lease) or run_is_running)


def is_abandoned(hosted: Hosted | None, observed: Observed, now: float) -> bool:
    """True if an endpoint exists that nobody leases, or is just about to lease."""
    if observed.status in {EndpointStatus.ABSENT, EndpointStatus.DELETING}:
        return False
    return (hosted is None or not hosted.leases) and now - observed.since > GRACE_S
