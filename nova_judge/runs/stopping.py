"""Stops whatever of a stage costs money while it runs, and makes sure that nothing comes after."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

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
