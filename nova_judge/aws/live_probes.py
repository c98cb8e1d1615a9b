"""Probes of what is deployed: functions answer, an upload arrives, notices reach somebody."""

import json
from collections.abc import Iterator
from typing import Any

import boto3

from nova_judge.aws import account, aws_clients, s3, submissions
from nova_judge.check import Check
from nova_judge.errors import SubmitError
from nova_judge.layout import INBOX
from nova_judge.text import count_of
from nova_judge.version import __version__

PING = {"ping": "nova-judge"}
PROBE = f"{INBOX}nova-judge-verify/_SUCCESS"
"""A mark that Spark leaves: it starts an execution, which ends in its first state."""
OURS = "lambdas."


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
