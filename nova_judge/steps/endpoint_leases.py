"""Gives up what a run leases."""

import time
from collections.abc import Collection, Iterable

from nova_judge.answers.hosting import Host, release, withdraw
from nova_judge.answers.leases import EndpointStatus
from nova_judge.aws import executions, runs_table
from nova_judge.aws.endpoint_lifecycle import sagemaker_endpoints
from nova_judge.aws.lease_table import lease_table
from nova_judge.errors import EndpointGoneError
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.sources.served import OWN


def release_leases(
    table: str, prefix: str, owner: str, models: Iterable[str], *, own: bool = False
) -> list[str]:
    """End the owner's leases on these models' endpoints; the models now being deleted.

    `own`: on the endpoints of own weights too, which a stage that serves some may list.
    """
    host = Host(lease_table(table), sagemaker_endpoints())
    begins = f"{prefix}-"
    names = host.endpoints.names(f"{begins}{OWN}") if own else ()
    held = (name.removeprefix(begins) for name in names if _holds(host, name, owner))
    deleted = []
    for model in dict.fromkeys((*models, *held)):
        if release(host, endpoint_name(prefix, model), owner):
            deleted.append(model)
        runs_table.note_lease(table, owner, model, "until", str(time.time()))
    return deleted


def _holds(host: Host, endpoint: str, owner: str) -> bool:
    hosted = host.book.read(endpoint)
    return hosted is not None and any(lease.owner == owner for lease in hosted.leases)


def is_awaited(table: str, owner: str, asking: Collection[str]) -> bool:
    """True while all executions that `asking` names go on, or another one has the run by now."""
    if all(map(executions.is_running, asking)):
        return True
    execution = runs_table.execution_of(table, owner)
    if execution is None or execution in asking:
        return False
    return executions.is_running(execution)


def require_in_service(prefix: str, models: Iterable[str]) -> None:
    """Raise EndpointGoneError where an endpoint is not, or no longer, in service."""
    endpoints = sagemaker_endpoints()
    for name in {endpoint_name(prefix, model) for model in models}:
        observed = endpoints.observe(name)
        if observed.status is not EndpointStatus.IN_SERVICE:
            raise EndpointGoneError(f"endpoint {name} is {observed.status}: prepare it again")


def withdraw_leases(table: str, prefix: str, owner: str, models: Iterable[str]) -> None:
    """End leases that were perhaps taken after they had been released."""
    host = Host(lease_table(table), sagemaker_endpoints())
    for model in models:
        withdraw(host, endpoint_name(prefix, model), owner)
        runs_table.note_lease(table, owner, model, "until", str(time.time()))
