"""Endpoints on demand: prepared for runs that need them, deleted when nobody does.

Every step may be repeated and may be interrupted: what is half done is seen in the leases and in
SageMaker itself, and the next call, or the watchdog, goes on from there. Every quarter of an hour
the watchdog measures what is under way in a stage.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from nova_judge.answers.leases import (
    GRACE_S,
    STALLED,
    EndpointStatus,
    Hosted,
    Lease,
    Observed,
    has_ended,
    is_abandoned,
    is_person,
    next_action,
)
from nova_judge.errors import EndpointError
from nova_judge.recipe import catalog


class NoCapacityError(Exception):
    """The endpoint could not even be asked for on this instance type."""


class LeaseBook(Protocol):
    """Book of leases by endpoint; every method is atomic."""

    def read(self, endpoint: str) -> Hosted | None:
        """Read the entry of an endpoint; None without one."""

    def join(self, endpoint: str, lease: Lease) -> Hosted | None:
        """Add or renew a lease; None while the endpoint is closing."""

    def leave(self, endpoint: str, owner: str) -> bool:
        """Take a lease away; True when none is left and the endpoint is closing now."""

    def note_without_capacity(self, endpoint: str, config: str) -> None:
        """Remember an EndpointConfig without capacity for as long as the endpoint is leased."""

    def forget(self, endpoint: str) -> None:
        """Remove what is written down of a closing endpoint."""


class Endpoints(Protocol):
    """SageMaker's endpoints."""

    def observe(self, name: str) -> Observed:
        """The endpoint as it is now."""

    def create(self, name: str, config: str) -> None:
        """Begin to create it; raises NoCapacityError."""

    def delete(self, name: str) -> bool:
        """Begin to delete it; False where it cannot be deleted just now."""

    def names(self, prefix: str) -> Iterable[str]:
        """The endpoints whose names begin with `prefix`."""


class Host(NamedTuple):
    """The two sides that must be kept in step."""

    book: LeaseBook
    endpoints: Endpoints


def prepare(
    host: Host, name: str, configs_of: Callable[[], Mapping[str, str]], lease: Lease, now: float
) -> bool:
    """Lease an endpoint and bring it one step nearer to service; True when it answers.

    `configs_of` gives EndpointConfigs by instance type, in the order of preference. It may make
    them, and is asked under the lease alone: what is made without one is removed with none. Raises
    EndpointError when none can be started.
    """
    hosted = host.book.join(name, lease)
    if hosted is None:
        return False
    configs = configs_of()
    observed = host.endpoints.observe(name)
    action = next_action(observed, hosted.without_capacity, configs, now)
    if action.step == "give up":
        raise EndpointError(f"endpoint {name} cannot be started: {explained(name, action.reason)}")
    if action.step == "try next" and host.endpoints.delete(name):
        host.book.note_without_capacity(name, observed.config)
    if action.step == "create":
        config = configs[action.instance_type]
        try:
            host.endpoints.create(name, config)
        except NoCapacityError:
            host.book.note_without_capacity(name, config)
    return action.step == "ready"


def explained(name: str, reason: str) -> str:
    """Explain why an endpoint failed or hangs, and what to look at."""
    log = f"/aws/sagemaker/Endpoints/{name} in CloudWatch Logs"
    if reason.startswith(STALLED):
        return (
            f"{reason}. Look at {log}. Without a log the container never started: its image cannot "
            "be pulled, or needs a newer driver than the host has. Otherwise its last lines "
            "say what it waits for, such as the model's weights. The watchdog deletes "
            "the endpoint as soon as SageMaker allows"
        )
    if "health check" in reason:
        return f"{reason}. The container did not get ready: the last lines of {log} say why"
    if re.search(r"\b(image|ECR)\b", reason):
        return f"{reason}. `nova-judge doctor --recipe …` says which images the registry has"
    return f"{reason}. The container's log, if it wrote one, is {log}"


def is_in_service(host: Host, name: str) -> bool:
    """True if an endpoint created by others answers; EndpointError where it never will."""
    observed = host.endpoints.observe(name)
    if observed.status in {EndpointStatus.ABSENT, EndpointStatus.FAILED}:
        raise EndpointError(
            f"endpoint {name} is {observed.status}: {observed.reason or 'it is not there'}. "
            "Deploy the endpoints stack again"
        )
    return observed.status is EndpointStatus.IN_SERVICE


def release(host: Host, name: str, owner: str) -> bool:
    """Give a lease up; True when it was the last one and the endpoint is being deleted."""
    if not host.book.leave(name, owner):
        return False
    _close(host, name)
    return True


def withdraw(host: Host, name: str, owner: str) -> None:
    """Give up a lease that may have been released while the endpoint was being asked for.

    Its entry may be gone by then, and the endpoint have come after that.
    """
    if host.book.join(name, Lease(owner, until=0.0)) is None:
        _close(host, name)
    else:
        release(host, name, owner)


class Swept(NamedTuple):
    """Report of the watchdog."""

    leases_ended: tuple[str, ...]
    endpoints_deleted: tuple[str, ...]


def sweep(
    host: Host, names: Iterable[str], run_is_running: Callable[[str], bool], now: float
) -> Swept:
    """End the leases that count no more, and delete the endpoints that nobody leases."""
    ended: list[str] = []
    deleted: list[str] = []
    for name in names:
        hosted = host.book.read(name)
        for lease in hosted.leases if hosted else ():
            running = not is_person(lease) and run_is_running(lease.owner)
            if has_ended(lease, run_is_running=running, now=now):
                ended.append(f"{lease.owner} on {name}")
                if release(host, name, lease.owner):
                    deleted.append(name)
        if hosted is not None and hosted.closing:
            _close(host, name)
            deleted.append(name)
        elif is_abandoned(host.book.read(name), host.endpoints.observe(name), now):
            host.endpoints.delete(name)
            deleted.append(name)
    return Swept(tuple(ended), tuple(deleted))


def is_left_over(host: Host, name: str, since: float, now: float) -> bool:
    """True for what was made for an endpoint that nobody leases and that is not there."""
    hosted = host.book.read(name)
    absent = host.endpoints.observe(name).status is EndpointStatus.ABSENT
    return absent and (hosted is None or not hosted.leases) and now - since > GRACE_S


def _close(host: Host, name: str) -> None:
    absent = host.endpoints.observe(name).status is EndpointStatus.ABSENT
    if host.endpoints.delete(name) or absent:
        host.book.forget(name)


_GONE = {EndpointStatus.ABSENT, EndpointStatus.DELETING}


class SeenEndpoint(NamedTuple):
    """An endpoint as it is, and its entry in the book of leases."""

    observed: Observed
    hosted: Hosted | None


def measures_of(
    endpoints: Iterable[SeenEndpoint],
    instance_types: Mapping[str, str],
    begun: Iterable[float],
    now: float,
) -> dict[str, float]:
    """Measures by the names of `nova_judge.measures`.

    `instance_types` maps EndpointConfigs to the instance type that they name, `begun` holds when
    the runs under way began (epoch seconds).
    """
    up = [seen for seen in endpoints if seen.observed.status not in _GONE]
    prices = catalog.prices().instance_hour.prices
    ages = [now - since for since in begun]
    return {
        "EndpointsUp": len(up),
        "EndpointUSDPerHour": sum(
            prices.get(instance_types.get(seen.observed.config, ""), 0.0) for seen in up
        ),
        "EndpointsWithoutLease": sum(not _is_leased(seen.hosted, now) for seen in up),
        "RunsUnderWay": len(ages),
        "OldestRunHours": max(ages, default=0.0) / 3600,
    }


def _is_leased(hosted: Hosted | None, now: float) -> bool:
    return hosted is not None and any(lease.until > now for lease in hosted.leases)
