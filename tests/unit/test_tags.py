"""Endpoints and jobs carry the keys by which an account tells whose costs they are."""

import boto3
import pytest
from botocore.stub import ANY, Stubber

from nova_judge.aws import aws_clients, batch_jobs
from nova_judge.aws.endpoint_lifecycle import SageMakerEndpoints
from nova_judge.tags import run_tags, stage_tags

OURS = {"project": "nova-judge", "stage": "dev"}


@pytest.fixture
def client():
    known = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return lambda service: boto3.client(service, "us-east-1", **known)


def test_a_run_carries_the_tags_of_its_stage():
    assert stage_tags("dev") == OURS
    assert run_tags("dev", "run-1") == {**OURS, "nova-judge:run": "run-1"}


def test_an_endpoint_is_created_with_the_tags_of_its_stage(client):
    sagemaker = client("sagemaker")
    tags = [{"Key": key, "Value": value} for key, value in OURS.items()]
    asked = {"EndpointName": "e", "EndpointConfigName": "c", "Tags": tags}
    with Stubber(sagemaker) as stub:
        stub.add_response(
            "create_endpoint", {"EndpointArn": "arn:aws:sagemaker:us-east-1:1:endpoint/e"}, asked
        )
        SageMakerEndpoints(sagemaker, "dev").create("e", "c")
        stub.assert_no_pending_responses()


def test_a_batch_job_carries_the_tags_of_its_run(client, monkeypatch):
    bedrock = client("bedrock")
    monkeypatch.setattr(aws_clients, "bedrock", lambda: bedrock)
    place = batch_jobs.BatchPlace("j", "arn:aws:iam::123456789012:role/r", "dev")
    tags = [{"key": key, "value": value} for key, value in OURS.items()]
    parts = ("modelInvocationType", "inputDataConfig", "outputDataConfig", "roleArn", "jobName")
    others = dict.fromkeys((*parts, "clientRequestToken", "modelId", "timeoutDurationInHours"), ANY)
    with Stubber(bedrock) as stub:
        stub.add_response(
            "create_model_invocation_job", {"jobArn": "arn:job"}, {**others, "tags": tags}
        )
        assert batch_jobs.begin("j", "model", place, "s3://i", "s3://o", OURS) == "arn:job"
