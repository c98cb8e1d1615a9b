"""Every probe of `nova-judge verify` fails where what it looks at is wrong."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ryaml
from botocore.exceptions import ClientError, EndpointConnectionError

from nova_judge import __version__
from nova_judge.aws import (
    account,
    aws_clients,
    live_probes,
    role_rights,
    submissions,
)
from nova_judge.check import Check
from nova_judge.errors import SubmitError
from nova_judge.preflight.machine_samples import STATE_SAMPLES, StateSample, event_samples
from nova_judge.steps import verify_stage

ROOT = Path(__file__).parents[3]
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:nova-judge-dev-evaluation"
DEFINITION = ryaml.loads((ROOT / "stacks" / "evaluation.asl.yaml").read_text("utf-8"))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a module's clients give these answers, by the name of the call."""

    def put(module: Any, resources: dict[str, str] | None = None, **calls: Any) -> None:
        client = SimpleNamespace(
            **{name: lambda answer=answer, **_: answer for name, answer in calls.items()},
            get_paginator=lambda name: SimpleNamespace(paginate=lambda **_: [calls[name]]),
        )
        monkeypatch.setattr(aws_clients, "impatient", lambda *_: client)
        maker = SimpleNamespace(client=lambda *_: client)
        monkeypatch.setattr(module, "boto3", maker, raising=False)
        monkeypatch.setattr(module, "_tester", lambda: client, raising=False)
        monkeypatch.setattr(account, "stack_resources", lambda *_: resources or {})

    return put


def validated(result: str, *diagnostics: dict[str, str]) -> dict[str, Any]:
    return {"result": result, "diagnostics": list(diagnostics)}


def test_a_definition_that_aws_refuses_is_refuted_with_its_words(answers: Callable[..., None]):
    deployed = {"definition": json.dumps(DEFINITION)}
    wrong = {"code": "MISSING_TRANSITION_TARGET", "message": "no state X"}
    answers(
        live_probes,
        describe_state_machine=deployed,
        validate_state_machine_definition=validated("FAIL", wrong),
    )
    check = live_probes.definition_check(MACHINE)
    assert (check.status, check.finding) == ("fail", "MISSING_TRANSITION_TARGET: no state X")
    answers(
        live_probes,
        describe_state_machine=deployed,
        validate_state_machine_definition=validated("OK"),
    )
    assert live_probes.definition_check(MACHINE).status == "pass"


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"status": "SUCCEEDED", "nextState": "Other", "output": "{}"}, "leads to Other instead"),
        ({"status": "FAILED", "error": "States.Runtime", "cause": "no path"}, "States.Runtime: no"),
    ],
)
def test_a_state_that_goes_elsewhere_is_refuted(
    answers: Callable[..., None], answer: dict[str, str], finding: str
):
    answers(
        live_probes,
        describe_state_machine={"definition": json.dumps(DEFINITION)},
        test_state=answer,
    )
    checks = list(live_probes.state_checks(MACHINE))
    assert {check.status for check in checks} == {"fail"}
    assert all(finding in check.finding for check in checks)


def test_a_state_that_makes_something_else_is_refuted(answers: Callable[..., None]):
    sample = StateSample("CountLook", {"looks": 4}, "KeepLook", {"counted": {"looks": 5}})
    made = {"status": "SUCCEEDED", "nextState": "KeepLook", "output": '{"counted": {"looks": 4}}'}
    answers(live_probes, test_state=made)
    fault = live_probes._fault(DEFINITION["States"]["CountLook"], sample)
    assert fault == """{"looks": 4} makes counted {'looks': 4} instead of {'looks': 5}"""


def test_a_state_that_is_not_deployed_is_not_tried(answers: Callable[..., None]):
    answers(live_probes, describe_state_machine={"definition": '{"States": {}}'})
    assert {check.status for check in live_probes.state_checks(MACHINE)} == {"not run"}


def test_every_sample_is_of_a_state_that_runs_for_nothing():
    kinds = {DEFINITION["States"][sample.state]["Type"] for sample in STATE_SAMPLES}
    assert kinds <= {"Pass", "Choice", "Succeed"}
    for sample in STATE_SAMPLES:
        state = DEFINITION["States"][sample.state]
        leads = {
            state.get("Next"),
            state.get("Default"),
            *(c["Next"] for c in state.get("Choices", ())),
        }
        assert sample.follows in leads, sample


@pytest.mark.parametrize(
    ("state", "taken", "status", "finding"),
    [
        ("DISABLED", True, "fail", "it is DISABLED"),
        ("ENABLED", True, "fail", "its pattern takes an upload to inbox/pairwise/a folder/"),
        ("ENABLED", False, "fail", "its pattern does not take an upload to inbox/pairwise/q"),
    ],
)
def test_a_rule_with_another_pattern_is_refuted(
    answers: Callable[..., None], state: str, taken: bool, status: str, finding: str
):
    answers(
        live_probes,
        {"StartOnUpload1234": "NovaJudge-dev-StartOnUpload1234"},
        describe_rule={"State": state, "EventPattern": "{}"},
        test_event_pattern={"Result": taken},
    )
    checks = {c.name: c for c in live_probes.pattern_checks("dev", "data", MACHINE)}
    assert checks["rule StartOnUpload"].status == status
    assert checks["rule StartOnUpload"].finding.startswith(finding)
    assert checks["rule CleanUpAfterAbort"].finding == "it is not deployed"


def test_each_rule_has_events_that_it_takes_and_leaves():
    by_rule: dict[str, set[bool]] = {}
    for sample in event_samples("dev", "data", MACHINE):
        by_rule.setdefault(sample.rule, set()).add(sample.taken)
    rules = ("StartOnUpload", "ProcessOnJobEnd", "ProcessOnJobsCompleted", "CleanUpAfterAbort")
    assert by_rule == {rule: {True, False} for rule in rules}


@pytest.mark.parametrize(
    ("answer", "status", "finding"),
    [
        ({"errorMessage": "No module named numpy"}, "fail", "it does not start: No module named"),
        ({"run_id": "r"}, "fail", "it does not start: {'run_id': 'r'}"),
        ({"pong": "0.0.9"}, "warn", f"it runs version 0.0.9, this is {__version__}"),
        ({"pong": __version__}, "pass", "answers a ping"),
    ],
)
def test_a_function_that_does_not_answer_is_refuted(
    answers: Callable[..., None], answer: dict[str, str], status: str, finding: str
):
    answers(
        live_probes,
        {"ClaimRun": "f"},
        get_function_configuration={"Handler": "lambdas.claim_run.handler"},
        invoke={"Payload": io.BytesIO(json.dumps(answer).encode())},
    )
    check, *_ = live_probes.function_checks("dev")
    assert (check.name, check.status) == ("function ClaimRun", status)
    assert check.finding.startswith(finding)


def test_functions_of_others_are_not_called(answers: Callable[..., None]):
    other = {"Handler": "index.handler"}
    answers(live_probes, {"CustomResource": "f"}, get_function_configuration=other)
    assert list(live_probes.function_checks("dev")) == []


def test_an_upload_that_starts_nothing_is_refuted_and_taken_away(
    account: Any, monkeypatch: pytest.MonkeyPatch
):
    def nothing(*_: object) -> str:
        raise SubmitError("started no execution")

    monkeypatch.setattr(submissions, "started_by", nothing)
    check = live_probes.upload_check("data", MACHINE)
    assert check.status == "fail"
    assert "started nothing within 120 s" in check.finding
    assert account.keys() == []


@pytest.mark.parametrize(
    ("arns", "status", "finding"),
    [
        (["PendingConfirmation", "arn:x"], "fail", "1 of 2 subscriptions wait"),
        ([], "warn", "nobody is subscribed"),
        (["arn:x"], "pass", "1 subscription is confirmed"),
    ],
)
def test_a_subscription_that_waits_is_refuted(
    answers: Callable[..., None], arns: list[str], status: str, finding: str
):
    listed = {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns]}
    answers(live_probes, list_subscriptions_by_topic=listed)
    check = live_probes.subscription_check("arn:topic")
    assert check.status == status
    assert check.finding.startswith(finding)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "pass"),
        ({"AlarmActions": []}, "fail"),
        ({"ActionsEnabled": False}, "fail"),
        ({"StateValue": "ALARM"}, "warn"),
    ],
)
def test_an_alarm_that_tells_nobody_is_refuted(
    answers: Callable[..., None], change: dict[str, Any], status: str
):
    alarm = {"AlarmName": "a", "ActionsEnabled": True, "AlarmActions": ["arn"], **change}
    answers(live_probes, describe_alarms={"MetricAlarms": [alarm]})
    assert live_probes.alarm_check("dev").status == status


@pytest.mark.parametrize(
    ("actions", "decision", "status", "finding"),
    [
        (["s3:GetObject"], "allowed", "fail", "its policy lacks s3:PutObject"),
        (["s3:GetObject", "s3:PutObject"], "explicitDeny", "fail", "IAM's simulator denies s3:P"),
        (["s3:GetObject", "s3:PutObject"], "allowed", "pass", "2 actions are in its policy"),
    ],
)
def test_a_right_that_is_missing_or_denied_is_refuted(
    answers: Callable[..., None], actions: list[str], decision: str, status: str, finding: str
):
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    policy = {"PolicyDocument": {"Statement": [statement]}, "Roles": [{"Ref": "Role"}]}
    answers(
        role_rights,
        {"Role": "role"},
        get_template={
            "TemplateBody": {"Resources": {"P": {"Type": "AWS::IAM::Policy", "Properties": policy}}}
        },
        list_role_policies={"PolicyNames": ["p"]},
        get_role_policy={"PolicyDocument": {"Statement": [{**statement, "Action": actions}]}},
        get_role={"Role": {"Arn": "arn:role"}},
        simulate_principal_policy={
            "EvaluationResults": [{"EvalActionName": "s3:PutObject", "EvalDecision": decision}]
        },
    )
    check, *_ = role_rights.role_checks("dev")
    assert (check.name, check.status) == ("rights of Role", status)
    assert check.finding.startswith(finding)


def test_what_other_accounts_own_is_not_simulated(monkeypatch: pytest.MonkeyPatch):
    ecr = "arn:aws:ecr:us-east-1"
    asked: list[list[str]] = []

    def simulate(**request: Any) -> dict[str, Any]:
        asked.append(request["ResourceArns"])
        return {"EvaluationResults": []}

    client = SimpleNamespace(simulate_principal_policy=simulate)
    monkeypatch.setattr(aws_clients, "impatient", lambda _: client)
    foreign = (f"{ecr}:*:repository/vllm", f"{ecr}:763104351884:repository/vllm")
    own = ("*", "arn:aws:s3:::data/*", f"{ecr}:123456789012:repository/mine")
    for resources in (foreign, (*foreign, *own)):
        one = role_rights.Statement(("ecr:BatchGetImage",), resources, {})
        assert list(role_rights._denied("arn:aws:iam::123456789012:role/r", one)) == []
    assert asked == [list(own)]


@pytest.mark.parametrize(
    ("conditions", "entries"),
    [
        ({"Null": {"sagemaker:ModelApprovalStatus": "true"}}, []),
        (
            {"StringEquals": {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}},
            [("sagemaker:ModelApprovalStatus", "string", ["Approved"])],
        ),
        (
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}},
            [("aws:TagKeys", "stringList", ["a"])],
        ),
        (
            {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            [("kms:GrantIsForAWSResource", "boolean", ["true"])],
        ),
    ],
)
def test_the_simulator_is_given_what_the_conditions_of_a_right_demand(
    monkeypatch: pytest.MonkeyPatch, conditions: dict[str, Any], entries: list[Any]
):
    given: list[tuple[str, str, list[str]]] = []

    def simulate(**request: Any) -> dict[str, Any]:
        given.extend(tuple(entry.values()) for entry in request["ContextEntries"])
        return {"EvaluationResults": []}

    client = SimpleNamespace(simulate_principal_policy=simulate)
    monkeypatch.setattr(aws_clients, "impatient", lambda _: client)
    right = role_rights.Statement(("x:Y",), ("*",), conditions)
    assert list(role_rights._denied("arn:aws:iam::123456789012:role/r", right)) == []
    assert given == entries


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "GetRole"), "GetRole: AccessDenied"),
        (EndpointConnectionError(endpoint_url="x"), "EndpointConnectionError: "),
    ],
)
def test_what_the_caller_may_not_ask_refutes_nothing(error: Exception, finding: str):
    def refuse() -> list[Check]:
        raise error

    (check,) = verify_stage._tried("rights", refuse)
    assert (check.name, check.status) == ("rights", "not run")
    assert check.finding.startswith(finding)
