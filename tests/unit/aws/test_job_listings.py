"""What the watchdog asks Bedrock for is what Bedrock takes."""

import re

import boto3
import pytest
from botocore.stub import ANY, Stubber

from nova_judge.aws import aws_clients, batch_jobs, evaluation_jobs

KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
PREFIX = "nova-judge-dev-"


@pytest.mark.parametrize(
    ("jobs", "operation", "looks"),
    [(batch_jobs, "ListModelInvocationJobs", 4), (evaluation_jobs, "ListEvaluationJobs", 1)],
)
def test_the_part_of_a_name_could_be_a_name(monkeypatch, jobs, operation, looks):
    """Bedrock checks it against the pattern of whole names; botocore does not.

    Where there are no jobs, the answer has no list: by the service's model it is never empty.
    """
    client = boto3.client("bedrock", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws_clients, "bedrock", lambda: client)
    asked = []
    client.meta.events.register(
        f"provide-client-params.bedrock.{operation}", lambda params, **_: asked.append(params)
    )
    shape = client.meta.service_model.operation_model(operation).input_shape
    pattern = shape.members["nameContains"].metadata["pattern"]
    method = client.meta.method_to_api_mapping
    name = next(python for python, api in method.items() if api == operation)
    with Stubber(client) as stub:
        for _ in range(looks):
            stub.add_response(name, {}, {"nameContains": ANY, "statusEquals": ANY})
        assert list(jobs.running(PREFIX)) == []
    assert asked
    assert all(re.fullmatch(pattern, params["nameContains"]) for params in asked)


@pytest.mark.parametrize(
    ("key", "output"),
    [
        ("", {}),
        ("arn:aws:kms:us-east-1:1:key/k", {"s3EncryptionKeyId": "arn:aws:kms:us-east-1:1:key/k"}),
    ],
)
def test_what_a_batch_job_writes_is_encrypted_with_the_stages_key(monkeypatch, key, output):
    client = boto3.client("bedrock", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws_clients, "bedrock", lambda: client)
    role, model = "arn:aws:iam::123456789012:role/judge", "amazon.nova-lite-v1:0"
    place = batch_jobs.BatchPlace("prefix", role, "dev", key)
    asked = {
        "jobName": "job",
        "clientRequestToken": "job",
        "roleArn": role,
        "modelId": model,
        "modelInvocationType": "Converse",
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://b/i", "s3InputFormat": "JSONL"}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://b/o/", **output}},
        "timeoutDurationInHours": 72,
        "tags": [],
    }
    with Stubber(client) as stub:
        stub.add_response("create_model_invocation_job", {"jobArn": "arn:job"}, asked)
        begun = batch_jobs.begin("job", model, place, "s3://b/i", "s3://b/o/", {})
    assert begun == "arn:job"
