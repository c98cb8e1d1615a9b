"""Judge jobs that go on though the run they belong to does not."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from nova_judge.generation.leases import GRACE_S


class RunningJob(NamedTuple):
    """A judge job under way; `run_id` is None where its output lies in no run's folder."""

    name: str
    run_id: str | None
    since: float


def orphans(
    jobs: Iterable[RunningJob], run_is_running: Callable[[str], bool], now: float
) -> list[str]:
    """The names of the jobs that nobody waits for, once they are older than the grace period."""
    return [
        job.name
        for job in jobs
        if now - job.since > GRACE_S and not (job.run_id and run_is_running(job.run_id))
    ]
