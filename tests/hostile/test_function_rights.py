"""A right of a function is there for a call that its code can reach."""

import ast
import re

import pytest

from nova_judge.folders import ROOT
from tests.hostile.function_rights import OPTIONAL, OWN

SPELLED = {
    "s3:GetObject": r"\.get_object\(",
    "s3:GetObjectVersion": r"VersionId=",
    "s3:ListBucket": r"\"list_objects_v2\"|\.head_object\(",
    "s3:GetBucketNotification": r"\.get_bucket_notification_configuration\(",
    "bedrock:InvokeModel": r"\.converse\(",
    "bedrock:TagResource": r"\.create_model_invocation_job\(",
    "iam:PassRole": r"\.create_model_invocation_job\(",
    "sagemaker:AddTags": r"\.create_endpoint\(|\.add_tags\(",
    "events:PutEvents": r"\.put_events\(",
}


def reached(function: str) -> str:
    """The text of all modules that a function's handler imports, one through another."""
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
    waiting, seen = [f"lambdas.{module}"], dict[str, str]()
    while waiting:
        name = waiting.pop()
        path = ROOT / f"{name.replace('.', '/')}.py"
        if name in seen or not path.is_file():
            continue
        seen[name] = path.read_text("utf-8")
        for node in ast.walk(ast.parse(seen[name])):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{part.name}" for part in node.names)]
    return "".join(seen.values())


@pytest.mark.parametrize("function", OWN | OPTIONAL)
def test_every_right_of_a_function_is_for_a_call_of_its_code(function):
    code = reached(function)
    assert len(code) > 1_000
    for action in (OWN | OPTIONAL)[function].split():
        call = re.sub(r"(?<!^)(?=[A-Z])", "_", action.split(":")[1]).lower()
        asked = SPELLED.get(action, rf"\.{call}\(|\"{call}\"")
        assert re.search(asked, code), f"{function}: nothing calls {action}"
