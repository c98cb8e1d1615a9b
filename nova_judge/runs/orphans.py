"""Jobs that go on though the attempt at a run that began them does not."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from nova_judge.answers.leases import GRACE_S
from nova_judge.runs.training_job_request import started_by


class RunningJob(NamedTuple):
    """A job under way. `handle` stops it: its name again, or its ARN where its service wants that.

    `run_id` is None where its output lies in no run's folder; `since` in epoch seconds.
    """

    name: str
    handle: str
    run_id: str | None
    since: float


def orphans(
    jobs: Iterable[RunningJob], running_execution: Callable[[str], str | None], now: float
) -> Iterator[RunningJob]:
    """The jobs that nobody waits for, once they are older than the grace period.

    `running_execution` maps a run id to the execution that has the run, None where none is under
    way. A run that was started again does not wait for the jobs of an earlier attempt.
    """
    for job in jobs:
        execution = running_execution(job.run_id) if job.run_id else None
        is_awaited = execution is not None and started_by(execution, job.name)
        if now - job.since > GRACE_S and not is_awaited:
            yield job
