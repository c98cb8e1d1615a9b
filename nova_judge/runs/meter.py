"""Quantities of a run that nobody's bill names by run: endpoint hours, transitions, functions."""

from collections.abc import Mapping

import msgspec

from nova_judge.runs.usage import InstanceTime

MEMORY_MB: Mapping[str, int] = {
    "PlanEvaluation": 3008,
    "ClaimRun": 512,
    "PrepareEndpoints": 1769,
    "GenerateResponses": 1024,
    "ReleaseEndpoints": 512,
    "BatchResponses": 2048,
    "BuildJobs": 2048,
    "WriteJobFiles": 2048,
    "JudgeRows": 2048,
    "CollectVerdicts": 2048,
    "RecordFailure": 1024,
    "ProcessResults": 3008,
}
"""Memory of the function behind each state, as the stacks set it; of PrepareEndpoints where a stage
copies gated models (others give it 512)."""


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """Metered by now. `endpoints`: each for as long as the run leased it, from its creation on; one
    that several runs share counts in full for each of them.

    `transitions` and `lambda_gb_seconds` are None where the execution could not be read. Of a
    map's children some are read, and the others count like them.
    """

    endpoints: tuple[InstanceTime, ...] = ()
    transitions: float | None = None
    lambda_gb_seconds: float | None = None


UNMETERED = Meter()


class EndpointLease(msgspec.Struct, frozen=True):
    """A run's lease of one endpoint in the runs table, as text: `since` and `until` in epoch
    seconds. Without an `instance_type` it never answered.
    """

    since: float
    instance_type: str = ""
    until: float | None = None


def endpoint_times(leases: Mapping[str, EndpointLease], now: float) -> tuple[InstanceTime, ...]:
    """The time of each endpoint that came up, until it was given up or now."""
    return tuple(
        InstanceTime(lease.instance_type, max(0.0, (lease.until or now) - lease.since), 1, model)
        for model, lease in sorted(leases.items())
        if lease.instance_type
    )
