"""Triggers of a stage: what starts which recipe, who lets it, and what its result may set."""

import json

import pytest

from nova_judge.errors import SettingsError
from nova_judge.inputs.run_request import parse_request
from nova_judge.recipe.trigger import Trigger
from stacks.config import stage_config
from tests.hostile import function_rights
from tests.hostile.stage_rules import Stage
from tests.infrastructure.conftest import CONTEXT
from tests.infrastructure.test_organisation import allowed, statements

TRIGGERS = {
    "ckpt": {
        "recipe": "checkpoint",
        "input": "inbox/no-cache/questions.jsonl",
        "when_trained": "sft-",
        "sets": ["tag"],
    },
    "registry": {
        "recipe": "registry",
        "input": "inbox/no-cache/questions.jsonl",
        "when_registered": "Summaries",
        "sets": ["approval", "tag"],
        "gate": {"min_win_rate": 0.45},
    },
    "weekly": {"recipe": "benchmark-mmlu", "schedule": "cron(0 6 ? * MON *)", "no_cache": True},
}
OF_JOBS = "SageMaker Training Job State Change"
OF_PACKAGES = "SageMaker Model Package State Change"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"
PACKAGE = f"{SAGEMAKER}:model-package/summaries/7"


def config(triggers):
    return stage_config("prod", {"prod": CONTEXT["stages"]["prod"] | {"triggers": triggers}})


@pytest.fixture(scope="module")
def stage(synthesize):
    return synthesize(config(TRIGGERS))


def rule(stage, name):
    (found,) = (
        properties
        for properties in stage.resources("AWS::Events::Rule").values()
        if properties.get("Name") == f"nova-judge-prod-{name}"
    )
    return found


def takes(pattern, detail_type, detail):
    """EventBridge's own semantics, as the emulator has them."""
    from ministack.services import eventbridge  # takes a second to import

    event = {"Source": "aws.sagemaker", "DetailType": detail_type, "Detail": json.dumps(detail)}
    return eventbridge._matches_pattern(json.dumps(pattern), event)


def of_job(name, status="Completed"):
    return {"TrainingJobName": name, "TrainingJobStatus": status}


def of_package(group="Summaries", status="PendingManualApproval", ready="Completed"):
    return {
        "ModelPackageGroupName": group,
        "ModelPackageArn": PACKAGE,
        "ModelPackageStatus": ready,
        "ModelApprovalStatus": status,
    }


@pytest.mark.parametrize(
    ("detail", "taken"),
    [
        (of_job("sft-17"), True),
        (of_job("sft-17", "Failed"), False),
        (of_job("sft-17", "InProgress"), False),
        (of_job("other-17"), False),
        (of_job("nova-judge-prod-q-0123-0-0"), False),
    ],
)
def test_a_job_of_that_prefix_that_completed_starts_the_recipe(stage, detail, taken):
    assert takes(rule(stage, "ckpt")["EventPattern"], OF_JOBS, detail) is taken


@pytest.mark.parametrize(
    ("detail", "taken"),
    [
        (of_package(), True),
        (of_package(status="Approved"), False),
        (of_package(status="Rejected"), False),
        (of_package(group="Others"), False),
        (of_package(ready="InProgress"), False),
    ],
)
def test_a_package_of_the_group_that_waits_for_approval_starts_the_recipe(stage, detail, taken):
    assert takes(rule(stage, "registry")["EventPattern"], OF_PACKAGES, detail) is taken


def test_without_approvals_every_change_of_a_package_starts_the_recipe(synthesize):
    changed = {**TRIGGERS["registry"], "approvals": [], "sets": [], "gate": {}}
    pattern = rule(synthesize(config({"registry": changed})), "registry")["EventPattern"]
    for status in ("Approved", "Rejected", "PendingManualApproval"):
        assert takes(pattern, OF_PACKAGES, of_package(status=status))


def input_made(target, event):
    """What EventBridge's transformer makes of an event."""
    text = target["InputTransformer"]["InputTemplate"]
    for key, path in target["InputTransformer"]["InputPathsMap"].items():
        value = event
        for step in path.removeprefix("$.").split("."):
            value = value[step]
        text = text.replace(f"<{key}>", json.dumps(value))
    return json.loads(text)


@pytest.mark.parametrize(
    ("name", "detail", "trigger"),
    [
        ("ckpt", of_job("sft-17"), Trigger("ckpt", training_job="sft-17", event="e1")),
        ("registry", of_package(), Trigger("registry", model_package=PACKAGE, event="e1")),
    ],
)
def test_the_machine_gets_what_a_person_would_write(stage, name, detail, trigger):
    (target,) = rule(stage, name)["Targets"]
    request = parse_request(input_made(target, {"id": "e1", "detail": detail}))
    assert request.recipe == TRIGGERS[name]["recipe"]
    assert request.key == "inbox/no-cache/questions.jsonl"
    assert (request.trigger, request.by_event) == (trigger, True)
    assert ":sqs:" in target["DeadLetterConfig"]["Arn"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10


def test_a_schedule_asks_once_for_each_of_its_times(stage):
    (schedule,) = stage.resources("AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "cron(0 6 ? * MON *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    target = schedule["Target"]
    assert ":stateMachine:" in target["Arn"]
    assert ":sqs:" in target["DeadLetterConfig"]["Arn"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 10
    at = "2026-11-30T06:00:00Z"
    made = json.loads(target["Input"].replace("<aws.scheduler.scheduled-time>", at))
    request = parse_request(made)
    assert (request.recipe, request.key, request.no_cache) == ("benchmark-mmlu", "", True)
    assert request.trigger == Trigger("weekly", scheduled=at, event=at)
    assert request.by_event is True


def test_triggers_may_have_any_names_beside_each_other(synthesize):
    trained = {"recipe": "checkpoint", "when_trained": "sft-"}
    names = ("a-b", "a--b", "rule-role")
    built = synthesize(config({"schedules": TRIGGERS["weekly"], **dict.fromkeys(names, trained)}))
    assert [rule(built, name)["State"] for name in names] == ["ENABLED"] * 3
    (schedule,) = built.resources("AWS::Scheduler::Schedule").values()
    assert schedule["Name"] == "schedules"


@pytest.mark.parametrize(
    ("role", "service", "source"),
    [
        (
            "TriggerRuleRole",
            "events.amazonaws.com",
            "arn:aws:events:us-east-1:123456789012:rule/nova-judge-prod-*",
        ),
        ("TriggerScheduleRole", "scheduler.amazonaws.com", "TriggerSchedules"),
    ],
)
def test_a_role_of_triggers_starts_the_machine_for_its_own_service_and_nothing_else(
    stage, role, service, source
):
    (found,) = (
        properties
        for name, properties in stage.resources("AWS::IAM::Role").items()
        if name.split("/")[1].startswith(role)
    )
    (trust,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": service}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert source in trust["Condition"]["ArnLike"]["aws:SourceArn"]
    rights = {
        action
        for one in statements(stage, role)
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    starts = {"states:StartExecution"}
    assert rights == (starts if service.startswith("events") else starts | {"sqs:SendMessage"})


def test_approval_and_notes_are_written_to_the_group_and_the_jobs_alone(stage):
    role = "RegistryTellRegistry"
    for group in ("Summaries", "summaries"):
        places = f"{SAGEMAKER}:model-package/{group}/*"
        rights = {"sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"}
        assert allowed(stage, role, places) == rights
    assert allowed(stage, role, f"{SAGEMAKER}:training-job/sft-*") == {"sagemaker:AddTags"}
    conditions = {
        str(one["Action"]): one["Condition"]
        for one in statements(stage, role)
        if "Condition" in one
    }
    assert conditions == {
        "sagemaker:UpdateModelPackage": {
            "StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}
        },
        "sagemaker:AddTags": {
            "ForAllValues:StringEquals": {"aws:TagKeys": ["nova-judge:outcome", "nova-judge:run"]}
        },
    }


@pytest.mark.parametrize(
    ("sets", "condition"),
    [
        (
            ["approval"],
            {"StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}},
        ),
        (["tag"], {"Null": {"sagemaker:ModelApprovalStatus": "true"}}),
    ],
)
def test_a_stage_that_sets_less_may_set_less(synthesize, sets, condition):
    narrow = synthesize(config({"registry": {**TRIGGERS["registry"], "sets": sets}}))
    (one,) = (
        s
        for s in statements(narrow, "RegistryTellRegistry")
        if s["Action"] == "sagemaker:UpdateModelPackage"
    )
    assert one["Condition"] == condition


def test_every_function_may_do_what_it_does_and_no_more(stage):
    policies = stage.resources("AWS::IAM::Policy")
    assert list(function_rights.problems(Stage({"AWS::IAM::Policy": policies}, {}))) == []


def test_only_reports_of_triggered_runs_reach_the_registry_gate(stage):
    (pattern,) = (
        properties["EventPattern"]
        for name, properties in stage.resources("AWS::Events::Rule").items()
        if "TellOnReport" in name
    )
    assert pattern == {
        "source": ["nova-judge"],
        "detail-type": ["Nova Judge Run Judged"],
        "detail": {"stage": ["prod"], "run": {"trigger": {"name": ["ckpt", "registry"]}}},
    }


def test_triggers_are_off_by_default(synthesized):
    assert not synthesized.resources("AWS::Scheduler::Schedule")
    assert not any("Trigger" in name for name in synthesized.resources("AWS::Events::Rule"))
    assert not any("TellRegistry" in f for f in synthesized.resources("AWS::Lambda::Function"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"when_registered": "g"}, "exactly one of when_trained, when_registered and schedule"),
        ({"when_trained": "nova-judge-prod-x"}, "would start themselves"),
        ({"when_trained": "n"}, "would start themselves"),
        ({"sets": ["approval"]}, "only a model package has an approval"),
        ({"sets": [], "gate": {"min_win_rate": 0.6}}, "without `sets` nobody reads it"),
        ({"input": "runs/x.jsonl"}, "a key below inbox/"),
        ({"sets": ["approve"]}, "approval"),
        ({"training_job": "sft"}, "unknown key; allowed here: recipe"),
    ],
)
def test_a_trigger_that_cannot_work_is_refused_before_anything_is_deployed(changes, problem):
    with pytest.raises(SettingsError, match="triggers") as refused:
        config({"ckpt": {**TRIGGERS["ckpt"], **changes}})
    assert problem in str(refused.value)
    assert "stages.prod: triggers.ckpt" in str(refused.value)
