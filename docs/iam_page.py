"""The table of every role and right, from the templates that the repository keeps."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).resolve().parent.parent / "nova_judge_local" / "stacks"
OPENING = """# IAM

Every role of a stage, who may assume it, and each right with its resource. The table is made from
the templates of the stage `local`, which differs from yours in names only. A right on `*` is one
that IAM offers on no narrower resource, or whose resource has a name that nobody knows beforehand.
"""


def iam_page() -> str:
    """A section per role, in the order of the stacks."""
    parts = [OPENING]
    for file in sorted(TEMPLATES.glob("*.json")):
        resources = json.loads(file.read_text("utf-8"))["Resources"]
        for role, described in resources.items():
            if described["Type"] == "AWS::IAM::Role":
                parts += _section(role, described["Properties"], resources)
    return "\n".join(parts) + "\n"


def _section(
    role: str, described: Mapping[str, Any], resources: Mapping[str, Any]
) -> Iterator[str]:
    yield f"## {_name(role)}"
    yield ""
    services = sorted(
        {
            service
            for statement in described["AssumeRolePolicyDocument"]["Statement"]
            for service in _listed(statement["Principal"].get("Service"))
        }
    )
    purpose = described.get("Description", "")
    yield f"{purpose}{'. ' if purpose else ''}Assumed by {', '.join(f'`{s}`' for s in services)}."
    yield ""
    yield "| actions | on | if |"
    yield "| --- | --- | --- |"
    for policy in resources.values():
        if (
            policy["Type"] != "AWS::IAM::Policy"
            or {"Ref": role} not in policy["Properties"]["Roles"]
        ):
            continue
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = "<br>".join(f"`{action}`" for action in _listed(statement["Action"]))
            places = "<br>".join(f"`{_words(one)}`" for one in _listed(statement["Resource"]))
            conditions = "<br>".join(f"`{one}`" for one in _conditions(statement))
            yield f"| {actions} | {places} | {conditions} |"
    yield ""


def _conditions(statement: Mapping[str, Any]) -> Iterator[str]:
    for operator, tests in statement.get("Condition", {}).items():
        for key, value in tests.items():
            yield f"{key} {operator} {', '.join(_words(one) for one in _listed(value))}"


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one or several, as IAM allows
    return value if isinstance(value, list) else [] if value is None else [value]


def _words(value: Any) -> str:  # noqa: ANN401 - a text, or CloudFormation's functions on texts
    """An ARN as people write it: references become names in braces."""
    if isinstance(value, str):
        return value
    function, of = next(iter(value.items()))
    if function == "Fn::Join":
        return str(of[0]).join(map(_words, of[1]))
    if function == "Ref":
        return "{" + _name(of.removeprefix("AWS::")) + "}"
    if function == "Fn::GetAtt":
        return "{" + _name(of[0]) + "}"
    if function == "Fn::ImportValue":
        return "{" + _name(re.sub(r".*(?:FnGetAtt|Ref)(\w+?)(?:Arn)?[0-9A-F]{8}$", r"\1", of)) + "}"
    return "{" + function.removeprefix("Fn::") + "}"


def _name(logical_id: str) -> str:
    """A resource's own name without the hash that the CDK appends."""
    return re.sub(r"[0-9A-F]{8}(?:Arn)?$", "", logical_id)
