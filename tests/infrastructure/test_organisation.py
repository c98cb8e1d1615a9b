"""A stage in a network and under a key of its own: jobs, models, functions and stores have both."""

import json

import pytest

from nova_judge.errors import SettingsError
from stacks.config import stage_config
from tests.infrastructure.conftest import KEY, definition_of

SUBNETS, GROUPS = ["subnet-0aaa1111", "subnet-0bbb2222"], ["sg-0ccc3333"]


def statements(templates, role):
    return [
        statement
        for name, policy in templates.resources("AWS::IAM::Policy").items()
        if name.split("/")[1].startswith(role)
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def allowed(templates, role, resource):
    """The actions that a role may take on this very resource."""
    found = set()
    for statement in statements(templates, role):
        resources = statement["Resource"]
        if resource in ([resources] if isinstance(resources, str) else resources):
            actions = statement["Action"]
            found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def test_every_function_runs_in_the_subnets(ruled):
    wanted = {"SubnetIds": SUBNETS, "SecurityGroupIds": GROUPS}
    functions = ruled.resources("AWS::Lambda::Function")
    assert len(functions) > 8
    assert all(function["VpcConfig"] == wanted for function in functions.values())


def test_every_model_and_every_training_job_runs_in_the_subnets(ruled):
    wanted = {"Subnets": SUBNETS, "SecurityGroupIds": GROUPS}
    assert all(m["VpcConfig"] == wanted for m in ruled.resources("AWS::SageMaker::Model").values())
    states = definition_of(ruled)["States"]
    job = states["RunJudgeJobs"]["ItemProcessor"]["States"]["RunJudgeJob"]["Parameters"]
    assert job["VpcConfig"] == wanted


@pytest.mark.parametrize("role", ["JudgeRole", "ServingRole", "PlanEvaluationRole", "Scoring"])
def test_a_role_makes_network_interfaces_in_these_subnets_only(ruled, role):
    subnet = "arn:aws:ec2:us-east-1:123456789012:subnet/{}"
    for name in SUBNETS:
        assert "ec2:CreateNetworkInterface" in allowed(ruled, role, subnet.format(name))
    for statement in statements(ruled, role):
        if "ec2:CreateNetworkInterface" in statement["Action"]:
            assert "*" not in statement["Resource"]


def test_bucket_table_and_topic_are_encrypted_with_the_key(ruled):
    (data,) = (
        bucket
        for name, bucket in ruled.resources("AWS::S3::Bucket").items()
        if name.startswith("Storage/Data")
    )
    (rule,) = data["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"},
    }
    (table,) = ruled.resources("AWS::DynamoDB::GlobalTable").values()
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    assert table["Replicas"][0]["SSESpecification"] == {"KMSMasterKeyId": KEY}
    (topic,) = ruled.resources("AWS::SNS::Topic").values()
    # An SNS topic names a key by its id.
    assert topic["KmsMasterKeyId"] == KEY


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("JudgeRole", {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}),
        ("PlanEvaluationRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("WatchdogWatchEndpointsRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("ProcessResultsRole", {"kms:Decrypt", "kms:GenerateDataKey"}),
        (
            "EvaluationRole",
            {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
        ),
        ("ScoringNumericAnswerRole", set()),
    ],
)
def test_a_role_may_use_the_key_as_far_as_it_must(ruled, role, actions):
    assert allowed(ruled, role, KEY) == actions


def test_the_output_of_jobs_is_encrypted_with_the_key(ruled):
    states = definition_of(ruled)["States"]
    job = states["RunBedrockJobs"]["ItemProcessor"]["States"]["StartBedrockJob"]["Parameters"]
    assert job["CustomerEncryptionKeyId"] == KEY
    told = {
        name.split("/")[1]: function["Environment"]["Variables"].get("KMS_KEY_ARN")
        for name, function in ruled.resources("AWS::Lambda::Function").items()
    }
    for begins in ("BuildJobs", "BatchResponses"):
        assert [key for name, key in told.items() if name.startswith(begins)] == [KEY]


def test_a_stage_without_rules_has_neither(synthesized):
    said = json.dumps(list(synthesized.raw.values()))
    assert not any(word in said for word in ("VpcConfig", "KMS_KEY_ARN", "kms:", "ec2:"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vpc", {"subnets": ["subnet-0aaa1111"]}),
        ("vpc", {"subnets": [], "security_groups": ["sg-0ccc3333"]}),
        ("vpc", {"subnets": ["vpc-0aaa"], "security_groups": ["sg-0ccc3333"]}),
        ("vpc", ["subnet-0aaa1111"]),
        ("kms_key", "alias/mine"),
        ("kms_key", "arn:aws:kms:us-east-1:123456789012:alias/mine"),
        ("endpoint_models", ["gpt-2"]),
        ("alarm_usd_per_day", float("inf")),
        ("alarm_run_hours", float("nan")),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(key, value):
    with pytest.raises(SettingsError, match=rf"stages\.dev: {key}: found .*(expected|allowed)"):
        stage_config("dev", {"dev": {key: value}})


def test_a_stage_that_is_not_there_is_answered_with_the_nearest():
    with pytest.raises(SettingsError, match=r"not among dev, prod\. Did you mean 'prod'\?"):
        stage_config("prd", {"dev": {}, "prod": {}})
