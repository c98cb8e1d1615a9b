"""Wrong stages: each operator changes one thing that a slip or an attacker could change."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.hostile.function_rights import OWN
from tests.hostile.machine_rules import states
from tests.hostile.stage_rules import Stage, listed, statements

Properties = dict[str, Any]
Change = Callable[[Properties], None]


class Mutant(NamedTuple):
    """What was changed, and the stage that came of it."""

    name: str
    stage: Stage


def put(key: str, value: object) -> Change:
    """Set a property; a path has dots, and numbers for places in lists."""

    def change(properties: Properties) -> None:
        *path, last = key.split(".")
        holder: Any = properties
        for step in path:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        holder[last] = value

    return change


def drop(key: str) -> Change:
    """Leave a property out."""

    def change(properties: Properties) -> None:
        *path, last = key.split(".")
        holder: Any = properties
        for step in path:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        del holder[last]

    return change


RESOURCES: dict[str, list[tuple[str, Change]]] = {
    "Lambda::Function": [
        ("3 seconds", put("Timeout", 3)),
        ("128 MB", put("MemorySize", 128)),
        ("no tracing", put("TracingConfig", {"Mode": "PassThrough"})),
        ("its own log", drop("LoggingConfig.LogGroup")),
        ("text logs", put("LoggingConfig.LogFormat", "Text")),
        ("a secret", put("Environment.Variables.OPENAI_API_KEY", "x")),
        ("no role", put("Role", "")),
    ],
    "Lambda::Permission": [
        ("no source", drop("SourceArn")),
        ("any rule", put("SourceArn", "arn:aws:events:us-east-1:123456789012:rule/*")),
        ("anybody", put("Principal", "*")),
        ("another account", put("Principal", "210987654321")),
        ("every action", put("Action", "lambda:*")),
        ("a URL", put("FunctionUrlAuthType", "NONE")),
    ],
    "Lambda::EventInvokeConfig": [
        ("lost events", drop("DestinationConfig")),
        ("no tries", put("MaximumRetryAttempts", 0)),
    ],
    "Events::Rule": [
        ("off", put("State", "DISABLED")),
        ("no target", put("Targets", [])),
        ("lost events", drop("Targets.0.DeadLetterConfig")),
    ],
    "CloudWatch::Alarm": [
        ("no action", put("AlarmActions", [])),
        ("actions off", put("ActionsEnabled", False)),
        ("less than", put("ComparisonOperator", "LessThanThreshold")),
        ("greater than", put("ComparisonOperator", "GreaterThanThreshold")),
        ("a thousand", put("Threshold", 1000)),
        ("for a day", put("EvaluationPeriods", 288)),
        ("once a day", put("Period", 86_400)),
        ("the least", put("Statistic", "Minimum")),
        ("another metric", put("MetricName", "NumberOfMessagesSent")),
        ("another namespace", put("Namespace", "AWS/Lambda")),
        ("missing is bad", put("TreatMissingData", "breaching")),
        ("another queue", put("Dimensions", [{"Name": "QueueName", "Value": "other"}])),
    ],
    "SQS::Queue": [
        ("a minute", put("MessageRetentionPeriod", 60)),
        ("plain", drop("SqsManagedSseEnabled")),
    ],
    "StepFunctions::StateMachine": [
        ("execution data", put("LoggingConfiguration.IncludeExecutionData", True)),
        ("no log", put("LoggingConfiguration.Level", "OFF")),
        ("only errors", put("LoggingConfiguration.Level", "ERROR")),
        ("nowhere", put("LoggingConfiguration.Destinations", [])),
        ("no tracing", put("TracingConfiguration", {"Enabled": False})),
        ("express", put("StateMachineType", "EXPRESS")),
    ],
    "S3::Bucket": [
        *(
            (f"no {key}", put(f"PublicAccessBlockConfiguration.{key}", False))
            for key in (
                *("BlockPublicAcls", "BlockPublicPolicy"),
                *("IgnorePublicAcls", "RestrictPublicBuckets"),
            )
        ),
        ("public", drop("PublicAccessBlockConfiguration")),
        ("no versions", put("VersioningConfiguration", {"Status": "Suspended"})),
        ("plain", drop("BucketEncryption")),
        ("for ever", drop("LifecycleConfiguration")),
        ("rules off", put("LifecycleConfiguration.Rules.0.Status", "Disabled")),
    ],
    "DynamoDB::GlobalTable": [("no backup", drop("Replicas.0.PointInTimeRecoverySpecification"))],
    "Logs::LogGroup": [("for ever", drop("RetentionInDays"))],
    "SageMaker::EndpointConfig": [
        ("captures", put("DataCaptureConfig", {"EnableCapture": True})),
        ("ten instances", put("ProductionVariants.0.InitialInstanceCount", 10)),
    ],
    "IAM::Role": [
        ("anybody", put("AssumeRolePolicyDocument.Statement.0.Principal", "*")),
        ("an account", put("AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "*"})),
        ("an administrator", put("ManagedPolicyArns", ["arn:aws:iam::aws:policy/Admin"])),
    ],
}
MACHINE: dict[str, list[tuple[str, Change]]] = {
    "Task": [
        ("no tries", drop("Retry")),
        ("one try", put("Retry.0.MaxAttempts", 1)),
        ("at once", put("Retry.0.BackoffRate", 1)),
        ("goes nowhere", put("ResultPath", "$.lost")),
    ],
    "Map": [
        ("all at once", put("MaxConcurrency", 1000)),
        ("no bound", drop("MaxConcurrency")),
        ("tolerates", put("ToleratedFailurePercentage", 10)),
        ("tolerates some", put("ToleratedFailureCount", 5)),
        ("goes nowhere", put("ResultPath", "$.lost")),
        ("express", put("ItemProcessor.ProcessorConfig.ExecutionType", "EXPRESS")),
        ("other mode", put("ItemProcessor.ProcessorConfig.Mode", "OTHER")),
    ],
    "Wait": [("a second", put("Seconds", 1)), ("a day", put("Seconds", 86_400))],
}


def mutants(stage: Stage) -> Iterator[Mutant]:
    """All of them, each a copy with one change."""
    yield from _of_resources(stage)
    yield from _of_patterns(stage)
    yield from _of_policies(stage)
    yield from _of_machine(stage)


def _changed(stage: Stage, kind: str, name: str, change: Change) -> Stage | None:
    """The stage with one resource changed; None where it has no such property, or is so already."""
    resources = {**stage.resources, f"AWS::{kind}": copy.deepcopy(stage.of(kind))}
    try:
        change(resources[f"AWS::{kind}"][name])
    except (KeyError, IndexError):
        return None
    return None if resources == stage.resources else stage._replace(resources=resources)


def _of_resources(stage: Stage) -> Iterator[Mutant]:
    for kind, changes in RESOURCES.items():
        for name in stage.of(kind):
            for what, change in changes:
                changed = _changed(stage, kind, name, change)
                if changed is not None and changed != stage:  # it may be so already
                    yield Mutant(f"{name}: {what}", changed)
    url = {**stage.resources, "AWS::Lambda::Url": {"url": {"AuthType": "NONE"}}}
    yield Mutant("a function URL", stage._replace(resources=url))
    for name in stage.of("Lambda::Permission"):
        kept = {key: one for key, one in stage.of("Lambda::Permission").items() if key != name}
        resources = {**stage.resources, "AWS::Lambda::Permission": kept}
        yield Mutant(f"{name}: gone", stage._replace(resources=resources))


def _of_patterns(stage: Stage) -> Iterator[Mutant]:
    for name, rule in stage.of("Events::Rule").items():
        pattern = rule.get("EventPattern", {})
        changes = [(f"any {key}", drop(f"EventPattern.{key}")) for key in pattern]
        changes += [
            (f"any detail {key}", drop(f"EventPattern.detail.{key}"))
            for key in pattern.get("detail", {})
        ]
        for key in ("status", "TrainingJobStatus"):
            if key in pattern.get("detail", {}):
                value = pattern["detail"][key][:1]
                changes.append((f"only {value}", put(f"EventPattern.detail.{key}", value)))
        if "ScheduleExpression" in rule:
            changes += [(f"{n} days", put("ScheduleExpression", f"rate({n} days)")) for n in (1, 7)]
        if "RetryPolicy" in rule["Targets"][0]:
            changes.append(("once", put("Targets.0.RetryPolicy.MaximumRetryAttempts", 0)))
            changes.append(("the whole event", drop("Targets.0.InputPath")))
        for what, change in changes:
            if (changed := _changed(stage, "Events::Rule", name, change)) is not None:
                yield Mutant(f"{name}: {what}", changed)


def _of_policies(stage: Stage) -> Iterator[Mutant]:
    for kind in ("IAM::Policy", "SQS::QueuePolicy", "SNS::TopicPolicy", "S3::BucketPolicy"):
        for name, policy in stage.of(kind).items():
            for place, one in enumerate(statements(policy)):
                at = f"PolicyDocument.Statement.{place}"
                other = {"Allow": "Deny", "Deny": "Allow"}[one["Effect"]]
                changes = [("the other effect", put(f"{at}.Effect", other))]
                if one["Effect"] == "Allow":
                    changes += [
                        ("every action", put(f"{at}.Action", "*")),
                        ("every action of a service", put(f"{at}.Action", "s3:*")),
                    ]
                if "Condition" in one:
                    changes.append(("no condition", drop(f"{at}.Condition")))
                if "Principal" in one and one["Effect"] == "Allow":
                    changes.append(("anybody", put(f"{at}.Principal", "*")))
                if kind == "IAM::Policy":
                    changes += _of_statement(at, one, _whose(name))
                for what, change in changes:
                    if (changed := _changed(stage, kind, name, change)) is not None:
                        yield Mutant(f"{name} {place}: {what}", changed)


def _whose(policy: str) -> str | None:
    """The state machine or function whose own policy it is."""
    role = re.match(r".*/(?:Watchdog)?(\w+?)RoleDefaultPolicy", policy)
    return role[1] if role and role[1] in {"Evaluation", *OWN} else None


def _of_statement(at: str, one: Properties, whose: str | None) -> Iterator[tuple[str, Change]]:
    if one["Resource"] != "*":
        yield "everything", put(f"{at}.Resource", "*")
    if whose is None:
        return
    actions = listed(one["Action"])
    for action in actions:
        if whose in OWN or not action.startswith(("logs:", "xray:")):
            left = [other for other in actions if other != action]
            yield f"without {action}", put(f"{at}.Action", left)
    yield "one action more", put(f"{at}.Action", [*actions, "sagemaker:DeleteModel"])
    for place in listed(one["Resource"]):
        if ":function:" in place:
            left = [other for other in listed(one["Resource"]) if other != place]
            yield f"without {place}", put(f"{at}.Resource", left)


def _of_machine(stage: Stage) -> Iterator[Mutant]:
    for name, state, top in states(stage.definition):
        changes = [
            (what, change)
            for what, change in MACHINE.get(state["Type"], [])
            if what != "goes nowhere" or "ResultPath" in state
        ]
        for what, change in [*changes, *_of_branches(state, top), *_of_task(state)]:
            machine = copy.deepcopy(stage.definition)
            try:
                change(next(one for other, one, _ in states(machine) if other == name))
            except (KeyError, IndexError, TypeError):
                continue
            yield Mutant(f"{name}: {what}", stage._replace(definition=machine))
    for seconds in (60, 31_536_000):
        machine = {**stage.definition, "TimeoutSeconds": seconds}
        yield Mutant(f"the machine: {seconds} s", stage._replace(definition=machine))


def _of_branches(state: Properties, top: bool) -> Iterator[tuple[str, Change]]:
    if "Catch" in state:
        yield "no catch", drop("Catch")
    if "Catch" in state and top:
        yield "catches one", put("Catch.0.ErrorEquals", ["States.Timeout"])
        yield "loses the run", drop("Catch.0.ResultPath")
    if state["Type"] != "Choice":
        return
    yield "another default", put("Default", state["Choices"][0]["Next"])
    for place in range(len(state["Choices"])):
        yield f"without {place}", lambda one, place=place: one["Choices"].pop(place)
        yield f"{place} leads on", put(f"Choices.{place}.Next", state["Default"])


def _of_task(state: Properties) -> Iterator[tuple[str, Change]]:
    if state["Type"] != "Task":
        return
    resource = state["Resource"]
    creates = "createTrainingJob" in resource or "createEvaluationJob" in resource
    for error in ("States.TaskFailed", "States.ALL") if creates else ():
        yield f"tries {error}", put("Retry.0.ErrorEquals", [error])
    if creates:
        yield "no quota", drop("Retry.0.MaxAttempts")
    for key in state.get("Parameters", {}):
        if creates or key in ("ConsistentRead", "FunctionName"):
            yield f"without {key}", lambda one, key=key: one["Parameters"].pop(key)
    if resource.endswith(".sync"):
        yield "not awaited", put("Resource", resource.removesuffix(".sync"))
