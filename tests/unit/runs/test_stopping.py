"""What a stage runs is stopped in the order that lasts, and what will not stop is told."""

import pytest

from nova_judge.runs.stopping import Running, Service, Stage, stop_all


class World:
    """Executions and endpoints on a clock; an endpoint takes `deleting_s` to go away."""

    def __init__(self, *, deleting_s=60.0, late=()):
        self.clock, self.deleting_s = 0.0, deleting_s
        self.late = dict(late)  # endpoint → when a function that was at work creates it
        self.executions = {"run-1", "run-2"}
        self.endpoints = {"a": None, "b": None}  # → when it is gone
        self.log = []

    def stop_execution(self, name):
        self.log.append(name)
        self.executions.discard(name)

    def delete(self, name):
        assert not self.executions, "an execution would create it anew"
        self.log.append(name)
        if self.endpoints[name] is None:
            self.endpoints[name] = self.clock + self.deleting_s

    def sleep(self, seconds):
        self.clock += seconds
        self.endpoints = {
            n: gone for n, gone in self.endpoints.items() if not gone or gone > self.clock
        }
        for name, at in list(self.late.items()):
            if at <= self.clock:
                self.endpoints[name] = None
                del self.late[name]

    def stop(self, *, quiet_s=0.0, patience_s=600.0):
        stage = Stage(
            Service(
                "execution", lambda: [(n, n) for n in sorted(self.executions)], self.stop_execution
            ),
            (Service("endpoint", lambda: [(n, n) for n in sorted(self.endpoints)], self.delete),),
        )
        return stop_all(
            stage, quiet_s=quiet_s, patience_s=patience_s, now=lambda: self.clock, sleep=self.sleep
        )


def test_executions_end_before_what_they_would_begin_anew():
    world = World()

    assert world.stop() == []
    assert world.log[:4] == ["run-1", "run-2", "a", "b"]
    assert world.endpoints == {}


@pytest.mark.parametrize(("quiet_s", "left"), [(0.0, {"c": 90.0}), (60.0, {})])
def test_what_a_function_at_work_begins_late_is_stopped_too(quiet_s, left):
    world = World(late={"c": 90.0})

    assert world.stop(quiet_s=quiet_s) == []
    assert world.late == left
    assert ("c" in world.log) == (not left)


def test_what_does_not_stop_is_told():
    world = World(deleting_s=10_000.0)

    assert world.stop(patience_s=300.0) == [
        Running("endpoint", "a", "a"),
        Running("endpoint", "b", "b"),
    ]
    assert world.clock < 400.0
