"""What the watchdog asks Bedrock for is what Bedrock takes."""

import re

import boto3
import pytest
from botocore.stub import ANY, Stubber

from nova_judge.aws import batch_jobs, evaluation_jobs

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
    monkeypatch.setattr(jobs, "_client", lambda: client)
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
