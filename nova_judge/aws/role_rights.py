"""Rights of a stage's roles: what the template gives them, what they have, what IAM allows."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import boto3

from nova_judge.aws import account, aws_clients
from nova_judge.check import Check

PARTS = ("Results", "Evaluation", "Endpoints")
_MOST_ACTIONS = 100
"""Actions of one call of IAM's simulator."""


class Statement(NamedTuple):
    """An `Allow` of a policy; `conditions` by operator and key."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]]


def role_checks(stage: str) -> Iterator[Check]:
    """A check per role: it has every action of its template, and IAM's simulator allows each."""
    for part in PARTS:
        roles = account.stack_resources(stage, part, "AWS::IAM::Role")
        if not roles:
            continue
        stack = f"NovaJudge-{stage}-{part}"
        template = boto3.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
        wanted = _actions_by_role(dict(template))
        for logical, name in sorted(roles.items()):
            yield _check(logical, name.rpartition("/")[2], wanted.get(logical, frozenset()))


def _check(logical: str, role: str, wanted: frozenset[str]) -> Check:
    name = f"rights of {logical}"
    statements = list(_statements(role))
    missing = sorted(wanted - {action for one in statements for action in one.actions})
    if missing:
        return Check(
            name, "fail", f"its policy lacks {', '.join(missing)}", "deploy again: somebody took it"
        )
    arn = aws_clients.impatient("iam").get_role(RoleName=role)["Role"]["Arn"]
    denied = sorted({action for one in statements for action in _denied(arn, one)})
    if denied:
        return Check(
            name,
            "fail",
            f"IAM's simulator denies {', '.join(denied)}",
            "look for a permissions boundary, or a service control policy of the organisation",
        )
    count = sum(len(one.actions) for one in statements)
    return Check(name, "pass", f"{count} actions are in its policy, and the simulator denies none")


def _denied(arn: str, statement: Statement) -> Iterator[str]:
    """The actions that the simulator denies on what is not another account's.

    There the owner's policy has a say too, which the simulator does not read.
    """
    resources = [each for each in statement.resources if _account(each) in ("", _account(arn))]
    if not resources:
        return
    context = list(_context(statement))
    for begin in range(0, len(statement.actions), _MOST_ACTIONS):
        actions = list(statement.actions[begin : begin + _MOST_ACTIONS])
        yield from account.denied(arn, actions, *resources, ContextEntries=context)


def _context(statement: Statement) -> Iterator[dict[str, Any]]:
    """The values of keys that fulfil a statement's conditions; `Null` wants a key to be absent."""
    for operator, keys in statement.conditions.items():
        if operator == "Null":
            continue
        of_many = operator.startswith(("ForAllValues:", "ForAnyValue:"))
        kind = "boolean" if operator == "Bool" else "stringList" if of_many else "string"
        for key, value in keys.items():
            yield {
                "ContextKeyName": key,
                "ContextKeyType": kind,
                "ContextKeyValues": _listed(value)[:1],
            }


def _account(arn: str) -> str:
    """The account of an ARN; nothing where it names none, as of a bucket or of all resources."""
    return arn.split(":", 5)[4] if arn.count(":") >= 5 else ""


def _statements(role: str) -> Iterator[Statement]:
    """The statements of a role's own policies as they are now."""
    client = aws_clients.impatient("iam")
    for name in client.list_role_policies(RoleName=role)["PolicyNames"]:
        policy = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for one in _listed(policy["Statement"]):
            if one["Effect"] == "Allow":
                yield Statement(
                    tuple(_listed(one["Action"])),
                    tuple(_listed(one["Resource"])),
                    one.get("Condition", {}),
                )


def _actions_by_role(template: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The actions that a template's policies give, by the logical id of the role."""
    wanted: dict[str, frozenset[str]] = {}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        properties = resource["Properties"]
        actions = frozenset(
            action
            for one in _listed(properties["PolicyDocument"]["Statement"])
            if one["Effect"] == "Allow"
            for action in _listed(one["Action"])
        )
        for role in properties.get("Roles", ()):
            if isinstance(role, Mapping) and "Ref" in role:
                wanted[role["Ref"]] = wanted.get(role["Ref"], frozenset()) | actions
    return wanted


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
