"""The watchdog tells what is up, what it costs, and what nobody needs."""

import pytest

from nova_judge.answers.hosting import SeenEndpoint, measures_of
from nova_judge.answers.leases import EndpointStatus, Hosted, Lease, Observed

NOW = 1_000_000.0
LEASED = Hosted((Lease("run", NOW + 60),))
ENDED = Hosted((Lease("run", NOW - 60),))


def up(config: str = "small", status: EndpointStatus = EndpointStatus.IN_SERVICE) -> Observed:
    return Observed(status, since=NOW - 600, config=config)


@pytest.mark.parametrize(("hosted", "without"), [(LEASED, 0), (ENDED, 1), (Hosted(), 1), (None, 1)])
def test_an_endpoint_whose_leases_ended_is_told(hosted, without):
    measures = measures_of([SeenEndpoint(up(), hosted)], {"small": "ml.g5.xlarge"}, [], NOW)
    assert measures["EndpointsWithoutLease"] == without
    assert measures["EndpointsUp"] == 1
    assert measures["EndpointUSDPerHour"] == pytest.approx(1.408)


def test_what_is_gone_costs_nothing():
    gone = [
        SeenEndpoint(up(status=status), None)
        for status in (EndpointStatus.ABSENT, EndpointStatus.DELETING)
    ]
    assert measures_of(gone, {"small": "ml.g5.xlarge"}, [NOW - 7200, NOW - 3600], NOW) == {
        "EndpointsUp": 0,
        "EndpointUSDPerHour": 0,
        "EndpointsWithoutLease": 0,
        "RunsUnderWay": 2,
        "OldestRunHours": 2.0,
    }
