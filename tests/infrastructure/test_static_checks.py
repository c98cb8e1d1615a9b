"""What `make check` asks of the templates, the state machine and the policies: all offline."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.command import run_tool
from tests.infrastructure.conftest import Templates, definition_of

ACKNOWLEDGED = json.loads((Path(__file__).parent / "acknowledged.json").read_text())
# CDK writes DependsOn beside a reference that already orders the resources. E3601 knows the
# integrations of the partition `aws` only; asl-validator reads the definition.
CFN_LINT_IGNORED = ["W3005", "E3601"]
REGIONS = ["us-east-1", "us-gov-west-1", "cn-north-1"]
# Newer than the linter's list: in botocore's API model of Bedrock.
NEW_ACTIONS = {"bedrock:GetCustomModelDeployment"}
# The linter asks for every kind of resource that an action knows; these we have no use for.
OTHER_KINDS_UNUSED = {
    "bedrock:CreateModelInvocationJob": "no imported or customised models are candidates",
    "bedrock:InvokeModel": "no endpoints of Bedrock Marketplace are candidates",
    "states:DescribeExecution": "our executions are standard ones, not express",
}


@pytest.fixture(scope="module", params=["synthesized", "ruled"])
def inspected(request) -> Templates:
    """The stage as it stands in cdk.json, and in a network and under a key of its own."""
    return request.getfixturevalue(request.param)


def findings_of(templates: Templates) -> list[tuple[str, str]]:
    """(rule, construct) of every cdk-nag finding."""
    report = json.loads((templates.folder / "validation-report.json").read_text())
    return [
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def explains(entry: dict[str, str], rule: str, construct: str) -> bool:
    return bool(re.fullmatch(entry["rule"], rule) and re.fullmatch(entry["construct"], construct))


def test_cdk_nag_finds_nothing_that_is_not_explained(inspected):
    unexplained = [
        finding
        for finding in findings_of(inspected)
        if not any(explains(e, *finding) for e in ACKNOWLEDGED)
    ]

    assert unexplained == []


@pytest.mark.parametrize("entry", ACKNOWLEDGED, ids=lambda entry: entry["rule"][:60])
def test_every_explanation_is_still_needed(ruled, entry):
    assert any(explains(entry, *finding) for finding in findings_of(ruled))


def test_cfn_lint_finds_nothing(inspected):
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", *REGIONS]
    command += ["--ignore-checks", *CFN_LINT_IGNORED, "--template", *inspected.files]

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_state_machine_is_valid(inspected, tmp_path):
    file = tmp_path / "evaluation.asl.json"
    file.write_text(json.dumps(definition_of(inspected)))

    done = run_tool(
        "asl-validator/dist/bin/asl-validator.js",
        ["--json-path", str(file)],
        os.environ,
        quiet=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_task_says_what_it_does_and_what_happens_when_it_fails(definition):
    tasks = {
        name: state
        for name, state in _states(definition).items()
        if state["Type"] in ("Task", "Map") and name != "RecordFailure"
    }

    assert all(state.get("Comment") for state in _states(definition).values())
    for name, state in tasks.items():
        caught_by_its_map = name not in definition["States"]
        assert state.get("Catch") or caught_by_its_map, name
        assert state.get("Retry") or state["Type"] == "Map", name


def _states(machine: dict) -> dict[str, dict]:
    found = dict(machine["States"])
    for state in machine["States"].values():
        found |= _states(state["ItemProcessor"]) if "ItemProcessor" in state else {}
    return found


def test_the_policy_linter_finds_nothing(inspected):
    import parliament

    documents = {
        name: json.dumps(properties["PolicyDocument"])
        for name, properties in inspected.resources("AWS::IAM::Policy").items()
    }
    found = {
        name: [
            (finding.issue, finding.detail)
            for finding in parliament.analyze_policy_string(document).findings
            if not _is_known(finding)
        ]
        for name, document in documents.items()
    }

    assert {name: issues for name, issues in found.items() if issues} == {}


def _is_known(finding) -> bool:
    if finding.issue == "UNKNOWN_ACTION":
        return any(str(finding.detail).endswith(action) for action in NEW_ACTIONS)
    return finding.issue == "RESOURCE_MISMATCH" and all(
        detail["action"] in OTHER_KINDS_UNUSED for detail in finding.detail
    )


def test_no_role_uses_a_managed_policy(inspected):
    roles = inspected.resources("AWS::IAM::Role")

    assert {name for name, role in roles.items() if role.get("ManagedPolicyArns")} == set()


def test_no_statement_allows_a_wildcard_of_actions(inspected):
    actions = {
        action
        for policy in inspected.resources("AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
    }

    assert {action for action in actions if "*" in action} == set()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
