"""Probes of a stage's triggers: their rules take their events, their schedules are on."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import boto3

from nova_judge.aws import account
from nova_judge.aws.machine_probes import DEPLOY_AGAIN, pattern_check
from nova_judge.check import Check
from nova_judge.preflight.trigger_samples import trigger_samples


def trigger_checks(stage: str, names: Iterable[str], machine: str) -> Iterator[Check]:
    """A check per trigger of the stage: a rule, or a schedule in the stage's group."""
    rules = account.stack_resources(stage, "Evaluation", "AWS::Events::Rule").values()
    there = {name.rpartition("/")[2] for name in rules}
    schedules = account.stack_resources(stage, "Evaluation", "AWS::Scheduler::Schedule").values()
    for name in names:
        rule = f"nova-judge-{stage}-{name}"
        if rule in there:
            described = _client("events").describe_rule(Name=rule)
            samples = trigger_samples(stage, name, json.loads(described["EventPattern"]))
            yield pattern_check(f"trigger {name}", rule, samples, machine)
        elif name in {each.rpartition("/")[2].rpartition("|")[2] for each in schedules}:
            yield _schedule_check(stage, name)
        else:
            yield Check(f"trigger {name}", "fail", "it is not deployed", DEPLOY_AGAIN)


def _schedule_check(stage: str, name: str) -> Check:
    group = f"nova-judge-{stage}"
    schedule = _client("scheduler").get_schedule(Name=name, GroupName=group)
    if schedule["State"] != "ENABLED":
        return Check(f"trigger {name}", "fail", f"it is {schedule['State']}", DEPLOY_AGAIN)
    return Check(f"trigger {name}", "pass", f"on, {schedule['ScheduleExpression']}")


def _client(service: str) -> Any:  # noqa: ANN401 - stubs for two calls
    make: Any = boto3.client
    return make(service, config=account.IMPATIENT)
