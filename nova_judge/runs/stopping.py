"""What costs money while it runs: jobs that nobody waits for, and the stop of a whole stage."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from nova_judge.answers.leases import GRACE_S
from nova_judge.runs.training_job_request import started_by

LOOK_AGAIN_S = 5.0


class Running(NamedTuple):
    """One thing under way. `handle` is what its service stops it by."""

    kind: str
    name: str
    handle: str


class Service(NamedTuple):
    """One kind of thing that runs: what is under way of it, and how one is stopped.

    `running` gives names and handles. `stop` may be called again for what is not gone yet.
    """

    kind: str
    running: Callable[[], Iterable[tuple[str, str]]]
    stop: Callable[[str], object]

    def under_way(self) -> Iterator[Running]:
        """Things that are under way."""
        return (Running(self.kind, name, handle) for name, handle in self.running())


class Stage(NamedTuple):
    """`executions` start what the other services run."""

    executions: Service
    others: Sequence[Service]

    def running(self) -> list[Running]:
        """Everything that is under way."""
        return [what for service in (self.executions, *self.others) for what in service.under_way()]


def stop_all(
    stage: Stage,
    *,
    quiet_s: float,
    patience_s: float,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Running]:
    """Stop everything; what is still under way after `patience_s`, or nothing.

    Nothing may be under way for `quiet_s`: a function that was at work when its execution was
    stopped may begin one thing more.
    """
    begun = busy = now()
    while True:
        left = stage.running()
        if left:
            busy = now()
        elif now() - busy >= quiet_s:
            return []
        if now() - begun > patience_s:
            return left
        _stop(stage, left)
        sleep(LOOK_AGAIN_S)


def _stop(stage: Stage, left: Iterable[Running]) -> None:
    """Executions first: one that runs would begin again what is taken from it."""
    stops = {service.kind: service.stop for service in stage.others}
    starting = [what for what in left if what.kind == stage.executions.kind]
    for what in starting:
        stage.executions.stop(what.handle)
    if not starting:
        for what in left:
            stops[what.kind](what.handle)


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
