"""Who may create and delete endpoints, and who may run a container in one."""

import pytest


def statements(synthesized, role: str) -> list[dict]:
    """What the policies of one function's role allow."""
    return [
        statement
        for name, policy in synthesized.resources("AWS::IAM::Policy").items()
        if name.startswith(f"Evaluation/{role}Role")
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def allowed(synthesized, role: str) -> dict[str, set[str]]:
    """SageMaker's actions → the kinds of resources that a function may take them on."""
    found: dict[str, set[str]] = {}
    for statement in statements(synthesized, role):
        actions, resources = (
            [value] if isinstance(value, str) else value
            for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            if action.startswith("sagemaker:"):
                kinds = {arn.split(":")[5].split("/")[0] for arn in resources}
                found.setdefault(action.removeprefix("sagemaker:"), set()).update(kinds)
    return found


ENDING = {"DeleteEndpoint": {"endpoint"}, "DescribeEndpoint": {"endpoint"}}
BOTH = {"endpoint", "endpoint-config"}


@pytest.mark.parametrize(
    ("function", "may"),
    [
        ("PrepareEndpoints", {"CreateEndpoint": BOTH, "AddTags": BOTH, **ENDING}),
        ("ReleaseEndpoints", ENDING),
        ("RecordFailure", ENDING),
        ("GenerateResponses", {"DescribeEndpoint": {"endpoint"}, "InvokeEndpoint": {"endpoint"}}),
        ("JudgeRows", {"DescribeEndpoint": {"endpoint"}, "InvokeEndpoint": {"endpoint"}}),
    ],
)
def test_a_function_may_do_to_endpoints_what_it_does_and_no_more(synthesized, function, may):
    assert allowed(synthesized, function) == may


def test_only_sagemaker_of_this_account_may_assume_the_serving_role(synthesized):
    (role,) = (
        properties
        for name, properties in synthesized.resources("AWS::IAM::Role").items()
        if name.startswith("Endpoints/ServingRole")
    )
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
