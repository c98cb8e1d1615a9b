"""Probes of what is deployed: functions answer, an upload arrives, notices reach somebody.

The state machine, rules and triggers are probed by AWS's own dry runs, which start nothing.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import boto3
from botocore.config import Config

from nova_judge.aws import account, aws_clients, s3, submissions
from nova_judge.check import Check
from nova_judge.errors import SubmitError
from nova_judge.layout import INBOX
from nova_judge.preflight.machine_samples import (
    STATE_SAMPLES,
    EventSample,
    StateSample,
    event_samples,
    trigger_samples,
)
from nova_judge.text import count_of
from nova_judge.version import __version__

PING = {"ping": "nova-judge"}
PROBE = f"{INBOX}nova-judge-verify/_SUCCESS"
"""A mark that Spark leaves: it starts an execution, which ends in its first state."""
OURS = "lambdas."
DEPLOY_AGAIN = "deploy again; a state machine or rule that was edited by hand is put right"


def function_checks(stage: str) -> Iterator[Check]:
    """A check per function: it answers a ping, so that its code and its layer import."""
    client = aws_clients.impatient("lambda")
    for part in ("Evaluation", "Results"):
        functions = account.stack_resources(stage, part, "AWS::Lambda::Function")
        for logical, name in sorted(functions.items()):
            handler = client.get_function_configuration(FunctionName=name)["Handler"]
            if handler.startswith(OURS):
                yield _ping(logical, name)


def _ping(logical: str, function: str) -> Check:
    label = f"function {logical}"
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(PING).encode())
    said: Any = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(said, dict) or "pong" not in said:
        why = said.get("errorMessage", said) if isinstance(said, dict) else said
        return Check(label, "fail", f"it does not start: {why}", "deploy again; look at its log")
    if said["pong"] != __version__:
        finding = f"it runs version {said['pong']}, this is {__version__}"
        return Check(label, "warn", finding, "deploy again so that both agree")
    return Check(label, "pass", f"answers a ping with version {said['pong']}")


def upload_check(bucket: str, machine: str) -> Check:
    """An upload reaches the state machine: bucket, event, rule, role and first state."""
    name = "upload starts an execution"
    s3.write(bucket, PROBE, b"")
    item = s3.describe(bucket, PROBE)
    try:
        arn = submissions.started_by(item, machine)
    except SubmitError:
        return Check(
            name,
            "fail",
            f"{PROBE} was written, and started nothing within {submissions.START_S:.0f} s",
            "look at the bucket's EventBridge setting, the rule StartOnUpload and its dead letters",
        )
    finally:
        s3.client().delete_object(Bucket=bucket, Key=PROBE)
    return Check(name, "pass", f"{PROBE} started {arn.rpartition(':')[2]}, which ends at once")


def subscription_check(topic: str) -> Check:
    """Somebody hears of reports and alarms."""
    name = "notices"
    pages = aws_clients.impatient("sns").get_paginator("list_subscriptions_by_topic")
    arns = [one["SubscriptionArn"] for page in pages.paginate(TopicArn=topic)
            for one in page["Subscriptions"]]  # fmt: skip
    pending = sum(1 for arn in arns if not arn.startswith("arn:"))
    if pending:
        return Check(
            name,
            "fail",
            f"{pending} of {count_of(len(arns), 'subscription waits', 'subscriptions wait')} for "
            "their confirmation",
            "follow the link in AWS's mail; a new deployment sends it again after three days",
        )
    if not arns:
        advice = "set notify_emails of the stage in cdk.json, and deploy"
        return Check(name, "warn", "nobody is subscribed to the topic", advice)
    return Check(
        name, "pass", f"{count_of(len(arns), 'subscription is', 'subscriptions are')} confirmed"
    )


def alarm_check(stage: str) -> Check:
    """Every alarm of the stage tells the topic, and none is raised."""
    name = "alarms"
    pages = aws_clients.impatient("cloudwatch").get_paginator("describe_alarms")
    alarms = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"NovaJudge-{stage}-")
        for alarm in page["MetricAlarms"]
    ]
    silent = [a["AlarmName"] for a in alarms if not (a["ActionsEnabled"] and a["AlarmActions"])]
    raised = [a["AlarmName"] for a in alarms if a.get("StateValue") == "ALARM"]
    if silent:
        return Check(name, "fail", f"they tell nobody: {', '.join(silent)}", "deploy again")
    if raised:
        advice = "docs/operations.md says what each means"
        return Check(name, "warn", f"raised: {', '.join(raised)}", advice)
    return Check(
        name,
        "pass",
        f"{count_of(len(alarms), 'alarm tells', 'alarms tell')} the topic, none is raised",
    )


def definition_of(machine: str) -> dict[str, Any]:
    """The definition as it is deployed."""
    described = aws_clients.impatient("stepfunctions").describe_state_machine(
        stateMachineArn=machine
    )
    return dict(json.loads(described["definition"]))


def definition_check(machine: str) -> Check:
    """AWS's validator takes the definition."""
    name = "state machine's definition"
    answer = aws_clients.impatient("stepfunctions").validate_state_machine_definition(
        definition=json.dumps(definition_of(machine)), type="STANDARD", severity="ERROR"
    )
    faults = [f"{one['code']}: {one['message']}" for one in answer["diagnostics"]]
    if answer["result"] == "OK" and not faults:
        return Check(name, "pass", "ValidateStateMachineDefinition finds no error")
    return Check(name, "fail", "; ".join(faults[:5]) or answer["result"], DEPLOY_AGAIN)


def state_checks(machine: str) -> Iterator[Check]:
    """A check per state that runs for nothing: TestState goes where the definition means it to."""
    states = definition_of(machine)["States"]
    for name, of_state in itertools.groupby(STATE_SAMPLES, key=attrgetter("state")):
        label, samples = f"state {name}", list(of_state)
        if name not in states:
            yield Check(label, "not run", "the deployed machine has no such state")
            continue
        faults = [fault for one in samples if (fault := _fault(states[name], one))]
        if faults:
            yield Check(label, "fail", "; ".join(faults), DEPLOY_AGAIN)
        else:
            yield Check(label, "pass", f"TestState: {len(samples)} inputs lead where they should")


def _fault(state: Mapping[str, Any], sample: StateSample) -> str | None:
    answer = _tester().test_state(definition=json.dumps(state), input=json.dumps(sample.given))
    given = json.dumps(sample.given)
    if answer["status"] != "SUCCEEDED":
        return f"{given}: {answer.get('error', answer['status'])}: {answer.get('cause', '')}"
    if answer.get("nextState") != sample.follows:
        return f"{given} leads to {answer.get('nextState')} instead of {sample.follows}"
    made = json.loads(answer.get("output") or "{}")
    for key, value in (sample.output or {}).items():
        if made.get(key) != value:
            return f"{given} makes {key} {made.get(key)!r} instead of {value!r}"
    return None


def pattern_checks(stage: str, bucket: str, machine: str) -> Iterator[Check]:
    """A check per rule: TestEventPattern takes the events that it is for, and no others."""
    rules = {
        logical: name.rpartition("/")[2]
        for part in ("Evaluation", "Results")
        for logical, name in account.stack_resources(stage, part, "AWS::Events::Rule").items()
    }
    samples = event_samples(stage, bucket, machine)
    for wanted, of_rule in itertools.groupby(samples, key=attrgetter("rule")):
        name = next((name for logical, name in rules.items() if logical.startswith(wanted)), None)
        if name is None:
            yield Check(f"rule {wanted}", "fail", "it is not deployed", DEPLOY_AGAIN)
            continue
        yield pattern_check(f"rule {wanted}", name, list(of_rule), machine)


def pattern_check(label: str, name: str, samples: list[EventSample], machine: str) -> Check:
    """Check that a rule is on, and that TestEventPattern answers as the samples say."""
    events = aws_clients.impatient("events")
    described = events.describe_rule(Name=name)
    if described["State"] != "ENABLED":
        return Check(label, "fail", f"it is {described['State']}", "enable it, or deploy again")
    faults = []
    for sample in samples:
        taken = events.test_event_pattern(
            EventPattern=described["EventPattern"], Event=_event(sample, machine)
        )["Result"]
        if taken != sample.taken:
            faults.append(f"{'takes' if taken else 'does not take'} {sample.what}")
    if faults:
        return Check(label, "fail", f"its pattern {', '.join(faults)}", DEPLOY_AGAIN)
    return Check(
        label, "pass", f"TestEventPattern: {len(samples)} events are taken or left rightly"
    )


def _event(sample: EventSample, machine: str) -> str:
    region, owner = machine.split(":")[3:5]
    return json.dumps(
        {
            "version": "0",
            "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "detail-type": sample.detail_type,
            "source": sample.source,
            "account": owner,
            "time": "2026-01-01T00:00:00Z",
            "region": region,
            "resources": [],
            "detail": sample.detail,
        }
    )


@functools.cache
def _tester() -> Any:  # noqa: ANN401 - stubs for one call
    """A client for TestState, which AWS has on a host of its own, and no stand-in has."""
    of_aws = "amazonaws." in aws_clients.impatient("stepfunctions").meta.endpoint_url
    make: Any = boto3.client
    config = aws_clients.IMPATIENT.merge(Config(inject_host_prefix=of_aws))
    return make("stepfunctions", config=config)


def trigger_checks(stage: str, names: Iterable[str], machine: str) -> Iterator[Check]:
    """A check per trigger of the stage: a rule, or a schedule in the stage's group."""
    rules = account.stack_resources(stage, "Evaluation", "AWS::Events::Rule").values()
    there = {name.rpartition("/")[2] for name in rules}
    schedules = account.stack_resources(stage, "Evaluation", "AWS::Scheduler::Schedule").values()
    for name in names:
        rule = f"nova-judge-{stage}-{name}"
        if rule in there:
            described = aws_clients.impatient("events").describe_rule(Name=rule)
            samples = trigger_samples(stage, name, json.loads(described["EventPattern"]))
            yield pattern_check(f"trigger {name}", rule, samples, machine)
        elif name in {each.rpartition("/")[2].rpartition("|")[2] for each in schedules}:
            yield _schedule_check(stage, name)
        else:
            yield Check(f"trigger {name}", "fail", "it is not deployed", DEPLOY_AGAIN)


def _schedule_check(stage: str, name: str) -> Check:
    group = f"nova-judge-{stage}"
    schedule = aws_clients.impatient("scheduler").get_schedule(Name=name, GroupName=group)
    if schedule["State"] != "ENABLED":
        return Check(f"trigger {name}", "fail", f"it is {schedule['State']}", DEPLOY_AGAIN)
    return Check(f"trigger {name}", "pass", f"on, {schedule['ScheduleExpression']}")
