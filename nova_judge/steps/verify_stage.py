"""Probes a deployed stage, and runs the smallest evaluations that settle what nothing else can."""

import datetime
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from nova_judge.aws import (
    account,
    aws_clients,
    live_probes,
    role_rights,
    s3,
    submissions,
)
from nova_judge.aws.executions import follow
from nova_judge.aws.submissions import Deployed
from nova_judge.check import Check, NotRead
from nova_judge.errors import NovaJudgeError
from nova_judge.findings.metrics_record import Metrics, decode_metrics
from nova_judge.layout import RECIPES, UNSTARTED, RunLayout
from nova_judge.partitions import COMMERCIAL
from nova_judge.preflight import rules
from nova_judge.preflight.forecast import estimate_run, read_workload
from nova_judge.preflight.input_head import read_head
from nova_judge.preflight.verification import SettlingRun
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import Trigger
from nova_judge.runs.usage import Estimate, Workload
from nova_judge.steps.plan_run import recipe_in

PAIRS = tuple(
    {"prompt": f"What is {n} plus {n}?", "response_A": "A colour.", "response_B": f"{2 * n}."}
    for n in range(2, 6)
)
PROMPTS = tuple({"prompt": f"What is {n} plus {n}?", "reference": f"{2 * n}"} for n in range(2, 6))
SMALLEST: tuple[tuple[str, Sequence[dict[str, str]]], ...] = (
    ("pairwise", PAIRS),
    ("bedrock-judge", PAIRS),
    ("serverless-mmlu", ()),
    ("rubric", PAIRS),
    ("qwen-1.5b-vs-7b", PROMPTS),
)
"""The smallest evaluation of each kind, the cheapest first."""
_LOOK_EVERY_S = 10.0
_ANY = {
    "training_job": Trigger(training_job="any"),
    "model_package": Trigger(
        model_package=f"arn:{COMMERCIAL.name}:sagemaker:us-east-1:123456789012:model-package/any/1"
    ),
    "schedule": Trigger(scheduled="2026-01-01T00:00:00Z"),
}
"""What stands for that which sets a trigger off, where its recipe is only read."""


class PaidRun(NamedTuple):
    """An evaluation that the budget allows."""

    recipe: Recipe
    rows: Sequence[dict[str, str]]
    forecast: Estimate


def free_checks(stage: str, recipes: Iterable[Recipe]) -> list[Check]:
    """Every probe that costs nothing, the checks of `nova-judge doctor` among them."""
    checks: dict[str, Check] = {}
    now = datetime.datetime.now(datetime.UTC)
    for recipe in recipes:
        facts = account.doctor_facts(stage, recipe)
        for check in rules.account_checks(facts, recipe, now):
            checks.setdefault(check.name, check)
    outputs = account.stack_outputs(stage)
    if not {"Storage", "Evaluation", "Results"} <= outputs.keys():
        return [*checks.values()]
    bucket = outputs["Storage"]["DataBucketName"]
    machine = outputs["Evaluation"]["StateMachineArn"]
    topic = outputs["Results"]["ReportsTopicArn"]
    probes: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
        ("rights", lambda: role_rights.role_checks(stage)),
        ("state machine's definition", lambda: [live_probes.definition_check(machine)]),
        ("states", lambda: live_probes.state_checks(machine)),
        ("rules", lambda: live_probes.pattern_checks(stage, bucket, machine)),
        ("functions", lambda: live_probes.function_checks(stage)),
        ("upload starts an execution", lambda: [live_probes.upload_check(bucket, machine)]),
        ("notices", lambda: [live_probes.subscription_check(topic)]),
        ("alarms", lambda: [live_probes.alarm_check(stage)]),
    )
    if (triggers := outputs["Evaluation"].get("Triggers")) is not None:
        named: dict[str, dict[str, str]] = json.loads(triggers)
        probes = (
            *probes,
            ("triggers", lambda: live_probes.trigger_checks(stage, named, machine)),
            ("what triggers start", lambda: _wishes(bucket, named)),
        )
    return [*checks.values(), *(check for name, probe in probes for check in _tried(name, probe))]


def _wishes(bucket: str, triggers: Mapping[str, Mapping[str, str]]) -> Iterator[Check]:
    """A check per trigger: its recipe can be read, and its input is there."""
    for name, wish in triggers.items():
        label = f"trigger {name} starts {wish['recipe']}"
        advice = f"put the recipe below {RECIPES} of s3://{bucket}, the input where it is named"
        try:
            recipe_in(bucket, wish["recipe"], _ANY[wish["by"]])
            if wish["input"]:
                s3.describe(bucket, wish["input"])
        except NovaJudgeError as error:
            yield Check(label, "fail", str(error), advice)
        else:
            yield Check(label, "pass", "recipe and input are there")


def _tried(name: str, probe: Callable[[], Iterable[Check]]) -> list[Check]:
    """The probe's checks; what the caller may not ask is not run, and refutes nothing."""
    checks = account.read(lambda: list(probe()))
    return [Check(name, "not run", checks.reason)] if isinstance(checks, NotRead) else checks


def affordable(place: Deployed, usd: float) -> list[PaidRun]:
    """The smallest evaluations whose likely costs stay within so many US dollars, together."""
    chosen, left = [], usd
    for name, rows in SMALLEST:
        recipe = recipe_in(place.bucket, name)
        forecast = estimate_run(recipe, _workload(recipe, _lines(rows)))
        if not forecast.likely.unpriced and forecast.likely.usd <= left:
            chosen.append(PaidRun(recipe, rows, forecast))
            left -= forecast.likely.usd
    return chosen


def settle(place: Deployed, paid: PaidRun) -> SettlingRun:
    """Run one evaluation to its end, and read what it shows."""
    wanted: dict[str, object] = {"recipe": paid.recipe.name}
    if paid.rows:
        key = f"{UNSTARTED}verify-{uuid.uuid4().hex[:8]}.jsonl"
        s3.write(place.bucket, key, _lines(paid.rows))
        wanted |= {"input": f"s3://{place.bucket}/{key}", "no_cache": True}
    arn = submissions.start(place.machine, wanted)
    for last in follow(aws_clients.stepfunctions(), arn, _LOOK_EVERY_S):
        look = last
    described = aws_clients.stepfunctions().describe_execution(executionArn=arn)
    run_id = str(json.loads(described.get("output") or "{}").get("run_id", ""))
    if look.status != "SUCCEEDED":
        cause = f"{look.error}: {look.cause}" if look.error else look.status
        name = arn.rpartition(":")[2]
        return SettlingRun(recipe=paid.recipe.name, run_id=name, reported=False, cause=cause)
    content = s3.read(place.bucket, RunLayout(run_id).report_file("metrics.json"))
    metrics = decode_metrics(content, run_id)
    shown = {name: holds(metrics) for name, holds in EVIDENCE.items()}
    return SettlingRun(
        recipe=paid.recipe.name,
        run_id=run_id,
        reported=True,
        stand_in=metrics.judge.stand_in is not None,
        proved=tuple(name for name, holds in shown.items() if holds),
        disproved=tuple(name for name, holds in shown.items() if holds is False),
    )


def _names_b_in_both_orders(metrics: Metrics) -> bool | None:
    """B answers rightly and A does not: where the passes are read rightly, both orders name B."""
    if metrics.reconciled is None or metrics.forward is None or metrics.backward is None:
        return None
    return metrics.reconciled.b > metrics.reconciled.rows / 2


EVIDENCE: dict[str, Callable[[Metrics], bool | None]] = {
    "both_orders_name_b": _names_b_in_both_orders
}


def _workload(recipe: Recipe, content: bytes) -> Workload:
    if not content:
        return Workload(rows=0)
    head = read_head(recipe, recipe.name, len(content), lambda size: content[:size])
    return read_workload(recipe, *head[:3])


def _lines(rows: Iterable[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
