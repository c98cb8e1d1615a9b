"""Every action that the evaluation role may take, and why."""

import pytest

from nova_judge.errors import SettingsError
from stacks.config import stage_config

MAY = {
    "s3:GetObject": "reads the judge's input and recipe of a run",
    "s3:PutObject": "writes the judge's output of a run",
    "s3:AbortMultipartUpload": "gives up an upload of that output",
    "s3:ListBucket": "SageMaker lists the channel's prefix before it downloads it",
    "s3:GetBucketLocation": "Bedrock's evaluation job asks for the bucket's region",
    "s3:ListBucketMultipartUploads": "Bedrock's evaluation job writes its output in parts",
    "lambda:InvokeFunction": "Nova's container calls this stage's own scorers",
    "bedrock:InvokeModel": "Bedrock's evaluation job calls the model that judges",
    "bedrock:CreateModelInvocationJob": "Bedrock's evaluation job asks that model in batches",
    "bedrock:StopModelInvocationJob": "Bedrock's evaluation job ends its batches",
    "bedrock:GetInferenceProfile": "Bedrock's evaluation job finds that model's profile",
    "ecr:GetAuthorizationToken": "signs in to the registry of the evaluation image",
    "ecr:BatchCheckLayerAvailability": "pulls the evaluation image",
    "ecr:BatchGetImage": "pulls the evaluation image",
    "ecr:GetDownloadUrlForLayer": "pulls the evaluation image",
    "logs:CreateLogGroup": "SageMaker writes the job's log",
    "logs:CreateLogStream": "SageMaker writes the job's log",
    "logs:DescribeLogStreams": "SageMaker writes the job's log",
    "logs:PutLogEvents": "SageMaker writes the job's log",
    "cloudwatch:PutMetricData": "SageMaker writes the job's CPU, GPU and disk figures",
}


def role(synthesized):
    (found,) = (
        properties
        for name, properties in synthesized.resources("AWS::IAM::Role").items()
        if name.startswith("Evaluation/JudgeRole")
    )
    return found


def statements(synthesized):
    return [
        statement
        for name, policy in synthesized.resources("AWS::IAM::Policy").items()
        if name.startswith("Evaluation/JudgeRole")
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_the_role_may_do_what_is_listed_here_and_nothing_else(synthesized):
    actions = [
        action
        for statement in statements(synthesized)
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    ]

    assert set(actions) == set(MAY)


def test_only_bedrock_and_sagemaker_of_this_account_may_assume_it(synthesized):
    trust = role(synthesized)["AssumeRolePolicyDocument"]["Statement"]

    services = {service for entry in trust for service in entry["Principal"]["Service"]}
    assert services == {"bedrock.amazonaws.com", "sagemaker.amazonaws.com"}
    for entry in trust:
        assert entry["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_it_reaches_no_object_outside_the_judge_folders(synthesized):
    for statement in statements(synthesized):
        actions = statement["Action"]
        if "s3:GetObject" in actions:
            assert statement["Resource"].endswith("/runs/*/judge/*")
        if actions == "s3:ListBucket":
            assert statement["Condition"] == {"StringLike": {"s3:prefix": ["runs/*/judge/*"]}}


def test_what_a_stage_names_may_be_used_too(synthesize):
    function = "arn:aws:lambda:us-east-1:123456789012:function:SageMaker-mine"
    repository = "arn:aws:ecr:us-east-1:123456789012:repository/nova"
    stage = stage_config(
        "dev", {"dev": {"scorer_functions": [function], "judge_image_repositories": [repository]}}
    )
    for action, resource in (
        ("lambda:InvokeFunction", function),
        ("ecr:BatchGetImage", repository),
    ):
        (allowed,) = (s for s in statements(synthesize(stage)) if action in s["Action"])
        assert resource in allowed["Resource"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scorer_functions", "arn:aws:lambda:us-east-1:123456789012:function:one"),
        ("scorer_functions", ["my-scorer"]),
        ("scorer_functions", ["*"]),
        ("judge_image_repositories", ["123456789012.dkr.ecr.us-east-1.amazonaws.com/nova"]),
        ("judge_image_repositories", [5]),
    ],
)
def test_what_is_no_list_of_arns_is_refused(key, value):
    with pytest.raises(SettingsError, match=f"{key}: found .*; expected a list of ARNs of"):
        stage_config("dev", {"dev": {key: value}})
