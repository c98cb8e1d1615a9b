"""What SageMaker says of an endpoint becomes facts; requests are those that botocore knows."""

import datetime
import io

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from nova_judge.aws.endpoint_lifecycle import endpoint_facts, endpoint_names
from nova_judge.aws.model_ports import EndpointPort
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm, EndpointFacts

NOW = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/ckpt-200"


@pytest.fixture
def stubbed():
    def of(service):
        client = boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        stub = Stubber(client)
        stub.activate()
        return client, stub

    return of


def described(**more):
    return {
        "EndpointName": "ckpt-200",
        "EndpointArn": ARN,
        "EndpointConfigName": "ckpt-200-7",
        "EndpointStatus": "InService",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "ProductionVariants": [
            {
                "VariantName": "all",
                "DeployedImages": [{"SpecifiedImage": "1.dkr.ecr/vllm:0.30.0"}],
                "CurrentInstanceCount": 2,
            }
        ],
        **more,
    }


def test_an_endpoint_with_its_components(stubbed):
    client, stub = stubbed("sagemaker")
    capture = {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://theirs/",
        "KmsKeyId": "key",
    }
    stub.add_response(
        "describe_endpoint", described(DataCaptureConfig=capture), {"EndpointName": "ckpt-200"}
    )
    component = {
        "InferenceComponentName": "lora-1",
        "InferenceComponentArn": ARN,
        "EndpointName": "ckpt-200",
        "EndpointArn": ARN,
        "VariantName": "all",
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    stub.add_response(
        "list_inference_components",
        {"InferenceComponents": [component]},
        {"EndpointNameEquals": "ckpt-200", "MaxResults": 100},
    )

    assert endpoint_facts(client, "ckpt-200") == EndpointFacts(
        "InService",
        ("1.dkr.ecr/vllm:0.30.0",),
        "ckpt-200-7 2026-11-29T00:00:00+00:00",
        instances=2,
        captures=True,
        components={"lora-1": ""},
    )


def test_an_endpoint_that_is_not_there_and_those_that_are(stubbed):
    client, stub = stubbed("sagemaker")
    stub.add_client_error(
        "describe_endpoint", "ValidationException", 'Could not find endpoint "x".'
    )
    assert endpoint_facts(client, "x") is None
    listed = {
        "EndpointName": "ckpt-200",
        "EndpointArn": ARN,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
        "EndpointStatus": "InService",
    }
    stub.add_response("list_endpoints", {"Endpoints": [listed]})
    assert endpoint_names(client) == ("ckpt-200",)


@pytest.mark.parametrize("component", [None, "lora-1"])
def test_a_component_is_named_in_the_call_and_no_model_in_its_body(stubbed, component):
    client, stub = stubbed("sagemaker-runtime")
    body = b'{"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}'
    named = {} if component is None else {"InferenceComponentName": component}
    expected = (
        b'{"messages":[{"role":"user","content":"Hello"}],"max_tokens":9,"temperature":0,"seed":0}'
    )
    stub.add_response(
        "invoke_endpoint",
        {"Body": StreamingBody(io.BytesIO(body), len(body))},
        {
            "EndpointName": "ckpt-200",
            "ContentType": "application/json",
            "Body": expected,
            **named,
        },
    )
    form = ChatForm(None, Generation(max_tokens=9, temperature=0))
    assert EndpointPort(client, "ckpt-200", form, component).ask("Hello").text == "Hi."


def test_a_component_that_is_asked_tells_its_image(stubbed):
    sagemaker, stub = stubbed("sagemaker")
    stub.add_response("describe_endpoint", described(ProductionVariants=[{"VariantName": "all"}]))
    part = {
        "InferenceComponentName": "part",
        "InferenceComponentArn": ARN.replace("endpoint/ckpt-200", "inference-component/part"),
        "EndpointName": "ckpt-200",
        "EndpointArn": ARN,
        "CreationTime": NOW,
        "LastModifiedTime": NOW,
    }
    listed = part | {"VariantName": "main"}
    stub.add_response("list_inference_components", {"InferenceComponents": [listed]})
    image = {"Container": {"DeployedImage": {"SpecifiedImage": "1.dkr/vllm:1"}}}
    stub.add_response("describe_inference_component", part | {"Specification": image})
    facts = endpoint_facts(sagemaker, "ckpt-200", ("part",))
    assert facts.components == {"part": "1.dkr/vllm:1"}
    assert facts.form("part") == "chat"
    assert facts.form(None) is None
