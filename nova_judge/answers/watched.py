"""Measures of what is under way in a stage, as the watchdog sees it every quarter of an hour."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nova_judge.answers.leases import EndpointStatus, Hosted, Observed
from nova_judge.recipe import catalog

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
