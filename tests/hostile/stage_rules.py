"""What a deployed stage must be, as rules over its resources; each names what breaks it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

PUBLIC = ("*", {"AWS": "*"}, {"AWS": ["*"]})
ON_EVERYTHING = {
    *("ecr:GetAuthorizationToken", "cloudwatch:PutMetricData", "logs:DescribeLogGroups"),
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeResourcePolicies"),
    *("logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("logs:UpdateLogDelivery", "xray:GetSamplingRules", "xray:GetSamplingTargets"),
    *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    *("bedrock:GetFoundationModelAvailability", "bedrock:GetUseCaseForModelAccess"),
}
LISTED_ON_EVERYTHING = (
    *("bedrock:List", "sagemaker:List", "servicequotas:List", "ecr:Describe", "ec2:Describe"),
)
"""Actions that AWS grants on every resource only; lists of those that begin so too."""
SECRET = ("SECRET", "PASSWORD", "TOKEN", "API_KEY", "ACCESS_KEY")
LEAST = {
    "plan_evaluation": (900, 2048),
    "generate_responses": (900, 1024),
    "batch_responses": (900, 2048),
    "build_jobs": (900, 2048),
    "process_results": (900, 2048),
    "record_failure": (300, 1024),
    "watch_endpoints": (300, 512),
}
"""Seconds and MB by handler; those that read whole shards have the most."""
SCHEDULE = "rate(15 minutes)"
PATTERNS = {
    "StartOnUpload": {"source", "detail-type", "detail.bucket.name", "detail.object.key"},
    "CleanUpAfterAbort": {"source", "detail-type", "detail.stateMachineArn", "detail.status"},
    "ProcessOnJobEnd": {
        *("source", "detail-type", "detail.TrainingJobName", "detail.TrainingJobStatus"),
    },
    "ProcessOnJobsCompleted": {"source", "detail-type", "detail.stage"},
}
ALARM = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "EvaluationPeriods": 1,
    "Period": 300,
    "Statistic": "Maximum",
    "TreatMissingData": "notBreaching",
}


OWN_ALARM = {
    "Namespace": "NovaJudge",
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
    "Dimensions": [
        {"Name": "service", "Value": "nova-judge"},
        {"Name": "stage", "Value": "prod"},
    ],
}
OWN_ALARMS: dict[str, dict[str, Any]] = {
    "StuckRun": {
        **{"MetricName": "OldestRunHours", "Threshold": 24, "Statistic": "Maximum"},
        **{"Period": 900, "EvaluationPeriods": 2},
    },
    "EndpointWithoutLease": {
        **{"MetricName": "EndpointsWithoutLease", "Threshold": 1, "Statistic": "Maximum"},
        **{"Period": 900, "EvaluationPeriods": 3},
    },
    "ReportFailed": {
        **{"MetricName": "ReportsFailed", "Threshold": 1, "Statistic": "Sum"},
        **{"Period": 300, "EvaluationPeriods": 1},
    },
    "SpendPerDay": {
        **{"MetricName": "EstimatedUSD", "Threshold": 200, "Statistic": "Sum"},
        **{"Period": 86_400, "EvaluationPeriods": 1},
    },
}


class Stage(NamedTuple):
    """A stage's resources, type → name → properties, and its state machine's definition."""

    resources: dict[str, dict[str, dict[str, Any]]]
    definition: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.resources.get(f"AWS::{kind}", {})


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return listed(properties.get("PolicyDocument", properties)["Statement"])


def problems(stage: Stage) -> Iterator[str]:
    """Everything that is wrong with the resources; nothing where all is well."""
    for rule in (policies, roles, permissions, queues, rules, functions, alarms, stores, machines):
        for fault in rule(stage):
            yield f"{rule.__name__}: {fault}"


def policies(stage: Stage) -> Iterator[str]:
    for name, policy in stage.of("IAM::Policy").items():
        for one in statements(policy):
            actions, places = set(listed(one["Action"])), listed(one["Resource"])
            if one["Effect"] != "Allow":
                yield f"{name} denies"
            if any("*" in action for action in actions):
                yield f"{name}: an action with a wildcard"
            read_only = {a for a in actions if a.startswith(LISTED_ON_EVERYTHING)}
            if "*" in places and actions - ON_EVERYTHING - read_only:
                yield f"{name}: {sorted(actions)} on everything"
            if any(place.endswith(":*:*") or place == "arn:aws:s3:::*" for place in places):
                yield f"{name}: a whole service"
            services = one.get("Condition", {}).get("StringEquals", {})
            if "iam:PassRole" in actions and "iam:PassedToService" not in services:
                yield f"{name}: a role is passed to any service"
            if "cloudwatch:PutMetricData" in actions and "cloudwatch:namespace" not in services:
                yield f"{name}: metrics of any namespace"
            if "events:PutEvents" in actions and services.get("events:source") != "nova-judge":
                yield f"{name}: events in anybody's name"
            prefixed = one.get("Condition", {}).get("StringLike", {})
            if actions == {"s3:ListBucket"} and "JudgeRole" in name and "s3:prefix" not in prefixed:
                yield f"{name}: lists the whole bucket"


def roles(stage: Stage) -> Iterator[str]:
    for name, role in stage.of("IAM::Role").items():
        for one in statements(role["AssumeRolePolicyDocument"]):
            services = (
                listed(one["Principal"].get("Service")) if one["Principal"] != "*" else [None]
            )
            if one["Effect"] != "Allow" or one["Action"] != "sts:AssumeRole":
                yield f"{name}: {one['Effect']} {one['Action']}"
            if not all(service and service.endswith(".amazonaws.com") for service in services):
                yield f"{name}: somebody else takes it"
            ours = {"lambda.amazonaws.com", "events.amazonaws.com"}
            if not set(services) & ours and "aws:SourceAccount" not in str(one.get("Condition")):
                yield f"{name}: another account's service may take it"
            if "lambda" in str(role.get("Description")).lower() and len(services) > 1:
                yield f"{name}: two services"
        if role.get("ManagedPolicyArns"):
            yield f"{name}: a managed policy"


def permissions(stage: Stage) -> Iterator[str]:
    for name, one in stage.of("Lambda::Permission").items():
        if (one["Principal"], one["Action"]) != ("events.amazonaws.com", "lambda:InvokeFunction"):
            yield f"{name}: {one['Principal']} may {one['Action']}"
        if ":rule/" not in one.get("SourceArn", "") or "*" in one["SourceArn"]:
            yield f"{name}: not for one rule"
        if one.get("FunctionUrlAuthType"):
            yield f"{name}: a function URL"
    allowed = {
        (one["FunctionName"], one.get("SourceArn", "").rsplit("/", 1)[-1])
        for one in stage.of("Lambda::Permission").values()
    }
    for name, rule in stage.of("Events::Rule").items():
        for arn in _arns(rule):
            if ":function:" in arn and (arn, name.split("/")[1]) not in allowed:
                yield f"{name} may not call {arn}"
    if stage.of("Lambda::Url"):
        yield "a function URL"


def _arns(rule: dict[str, Any]) -> list[str]:
    return [target["Arn"] for target in rule.get("Targets", [])]


def queues(stage: Stage) -> Iterator[str]:
    for kind in ("SQS::QueuePolicy", "SNS::TopicPolicy", "S3::BucketPolicy"):
        for name, policy in stage.of(kind).items():
            secure = False
            for one in statements(policy):
                condition = str(one.get("Condition", {}))
                if one["Effect"] == "Deny":
                    if not one.get("Condition"):
                        yield f"{name}: nobody may use it"
                    secure |= "aws:SecureTransport" in condition and "false" in condition
                    secure &= one["Principal"] in PUBLIC
                elif one["Principal"] in PUBLIC or "Source" not in condition:
                    yield f"{name}: anybody may {one['Action']}"
                elif "*" in str(one["Action"]):
                    yield f"{name}: {one['Action']}"
            if not secure:
                yield f"{name}: without TLS"
    for name, queue in stage.of("SQS::Queue").items():
        if queue.get("MessageRetentionPeriod") != 14 * 86_400:
            yield f"{name}: kept for less than 14 days"
        if queue.get("SqsManagedSseEnabled") is not True and "KmsMasterKeyId" not in queue:
            yield f"{name}: not encrypted"


def rules(stage: Stage) -> Iterator[str]:
    for name, rule in stage.of("Events::Rule").items():
        if rule.get("State") != "ENABLED":
            yield f"{name}: not enabled"
        if not rule.get("Targets"):
            yield f"{name}: no target"
        for target in rule.get("Targets", []):
            if ":sqs:" not in target.get("DeadLetterConfig", {}).get("Arn", ""):
                yield f"{name}: an event may be lost"
            if ":stateMachine:" in target["Arn"]:
                if target.get("InputPath") != "$.detail" or ":role/" not in target.get(
                    "RoleArn", ""
                ):
                    yield f"{name}: the machine gets something else"
                if target.get("RetryPolicy", {}).get("MaximumRetryAttempts", 0) < 5:
                    yield f"{name}: tried too seldom"
        begins = name.split("/")[1]
        if "Schedule" in begins and rule.get("ScheduleExpression") != SCHEDULE:
            yield f"{name}: another schedule"
        wanted = next((keys for key, keys in PATTERNS.items() if begins.startswith(key)), None)
        if wanted is not None and set(_keys(rule.get("EventPattern", {}))) != wanted:
            yield f"{name}: another pattern"
        if len(_statuses(rule)) not in (0, 3):
            yield f"{name}: an end is not heard of"


def _keys(pattern: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in pattern.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{path}{key}.")
        elif value:
            yield f"{path}{key}"


def _statuses(rule: dict[str, Any]) -> list[str]:
    detail = rule.get("EventPattern", {}).get("detail", {})
    return detail.get("status", detail.get("TrainingJobStatus", []))


def functions(stage: Stage) -> Iterator[str]:
    for name, one in stage.of("Lambda::Function").items():
        handler = one["Handler"].split(".")[-2]
        seconds, megabytes = LEAST.get(handler, (30, 256))
        if not seconds <= one["Timeout"] <= 900 or one["MemorySize"] < megabytes:
            yield f"{name}: {one['Timeout']} s, {one['MemorySize']} MB"
        if one.get("TracingConfig") != {"Mode": "Active"}:
            yield f"{name}: not traced"
        if one.get("LoggingConfig", {}).get("LogFormat") != "JSON":
            yield f"{name}: logs as text"
        if not one.get("LoggingConfig", {}).get("LogGroup"):
            yield f"{name}: a log that is kept for ever"
        if any(word in key for key in one["Environment"]["Variables"] for word in SECRET):
            yield f"{name}: a secret in its environment"
        if ":role/" not in str(one.get("Role")):
            yield f"{name}: no role of its own"
    kept = {one["FunctionName"]: one for one in stage.of("Lambda::EventInvokeConfig").values()}
    called = {arn.rsplit(":", 1)[-1] for r in stage.of("Events::Rule").values() for arn in _arns(r)}
    for name in called & {name.split("/")[1] for name in stage.of("Lambda::Function")}:
        config = kept.get(name, {})
        if ":sqs:" not in str(config.get("DestinationConfig", {}).get("OnFailure")):
            yield f"{name}: an event that it cannot use is lost"
        if config.get("MaximumRetryAttempts") != 2:
            yield f"{name}: another number of tries"


def alarms(stage: Stage) -> Iterator[str]:
    found = stage.of("CloudWatch::Alarm")
    for name, alarm in found.items():
        if alarm.get("ActionsEnabled") is False or ":sns:" not in str(alarm.get("AlarmActions")):
            yield f"{name}: tells nobody"
        own = next((keys for part, keys in OWN_ALARMS.items() if part in name), None)
        for key, value in (ALARM if own is None else {**OWN_ALARM, **own}).items():
            if alarm.get(key) != value:
                yield f"{name}: {key} is {alarm.get(key)}"
    for part in OWN_ALARMS:
        if not any(part in name for name in found):
            yield f"{part}: no alarm"
    of_queues = [alarm for alarm in found.values() if alarm.get("Namespace") == "AWS/SQS"]
    watched = {d["Value"] for alarm in of_queues for d in alarm["Dimensions"]}
    if watched != {name.split("/")[1] for name in stage.of("SQS::Queue")}:
        yield "a queue is not watched"


def stores(stage: Stage) -> Iterator[str]:
    for name, bucket in stage.of("S3::Bucket").items():
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if len(blocked) != 4 or set(blocked.values()) != {True}:
            yield f"{name}: may be public"
        if bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            yield f"{name}: no versions"
        if not bucket.get("BucketEncryption") or not bucket.get("LifecycleConfiguration"):
            yield f"{name}: neither encrypted nor cleaned"
        rules_of = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if any(rule["Status"] != "Enabled" for rule in rules_of):
            yield f"{name}: a rule that is off"
    for name, table in stage.of("DynamoDB::GlobalTable").items():
        (replica,) = table["Replicas"]
        if not replica.get("PointInTimeRecoverySpecification", {}).get(
            "PointInTimeRecoveryEnabled"
        ):
            yield f"{name}: cannot be restored"
    for name, group in stage.of("Logs::LogGroup").items():
        if not group.get("RetentionInDays"):
            yield f"{name}: kept for ever"
    for name, config in stage.of("SageMaker::EndpointConfig").items():
        if "DataCaptureConfig" in config:
            yield f"{name}: captures prompts"
        if any(one["InitialInstanceCount"] != 1 for one in config["ProductionVariants"]):
            yield f"{name}: several instances"


def machines(stage: Stage) -> Iterator[str]:
    for name, machine in stage.of("StepFunctions::StateMachine").items():
        logged = machine.get("LoggingConfiguration", {})
        if logged.get("IncludeExecutionData") or logged.get("Level") != "ALL":
            yield f"{name}: logs {logged.get('Level')}, data {logged.get('IncludeExecutionData')}"
        if not logged.get("Destinations"):
            yield f"{name}: logs nowhere"
        if machine.get("TracingConfiguration") != {"Enabled": True}:
            yield f"{name}: not traced"
        if machine.get("StateMachineType", "STANDARD") != "STANDARD":
            yield f"{name}: an express machine runs five minutes"
