"""What is asked of SageMaker for weights of one's own, and what is removed with them."""

import boto3
import msgspec
import pytest
from botocore.model import ServiceModel
from botocore.session import get_session
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from nova_judge.answers.leases import LONGEST_START_S
from nova_judge.aws.endpoint_configs import Serving, ensure_configs, remove_configs, requests
from nova_judge.aws.endpoint_lifecycle import SageMakerEndpoints
from nova_judge.errors import EndpointError, RecipeError
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.served_model import Found, placed
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.known_sources import model_problems, source_of
from nova_judge.sources.served import Served, own_endpoint

ROLE = "arn:aws:iam::123456789012:role/weights"
REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
PLACE = Serving("nova-judge-dev", "dev", ROLE, REGISTRY, "us-east-1")
IN_S3 = AskedModel(weights="s3://mine/ckpt-200/", instance_types=("ml.g5.12xlarge",))
HUB = AskedModel(weights="Qwen/Qwen2.5-7B", revision="v1", instance_types=("ml.g5.xlarge",))


def client():
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.client("sagemaker", region_name="us-east-1", **keys)


def served_by(model):
    return placed("it", model, Found()).served


def sent(model, place=PLACE):
    return requests("nova-judge-dev-own-1", served_by(model), model.instance_types[0], place)


@pytest.mark.parametrize("model", [IN_S3, HUB], ids=["S3", "hub"])
def test_the_requests_are_those_that_botocore_knows(model):
    service = ServiceModel(get_session().get_service_data("sagemaker"))
    for operation, request in zip(
        ("CreateModel", "CreateEndpointConfig"), sent(model), strict=True
    ):
        shape = service.operation_model(operation).input_shape
        assert not ParamValidator().validate(request, shape).has_errors()
        assert max(len(value) for key, value in request.items() if key.endswith("Name")) <= 63


def test_a_checkpoint_is_read_from_its_folder_without_a_network():
    model, config = sent(IN_S3)
    container = model["PrimaryContainer"]
    assert container["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": "s3://mine/ckpt-200/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    assert container["Environment"] == {"SM_VLLM_TENSOR_PARALLEL_SIZE": "4"}
    assert model["EnableNetworkIsolation"] is True
    (variant,) = config["ProductionVariants"]
    assert variant["ModelName"] == model["ModelName"] == config["EndpointConfigName"]
    waits = ("ModelDataDownloadTimeoutInSeconds", "ContainerStartupHealthCheckTimeoutInSeconds")
    assert [variant[wait] for wait in waits] == [1200, 1380]
    assert sum(variant[wait] for wait in waits) < LONGEST_START_S
    assert variant["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"


def test_a_model_of_the_hub_is_loaded_at_its_revision():
    model, _ = sent(HUB)
    assert model["PrimaryContainer"]["Environment"] == {
        "SM_VLLM_MODEL": "Qwen/Qwen2.5-7B",
        "SM_VLLM_REVISION": "v1",
        "SM_VLLM_TENSOR_PARALLEL_SIZE": "1",
    }
    assert model["EnableNetworkIsolation"] is False


def test_another_revision_has_another_endpoint_and_other_answers():
    other = AskedModel(weights=HUB.weights, revision="v2", instance_types=HUB.instance_types)
    assert own_endpoint(HUB) != own_endpoint(other)
    assert source_of(HUB).kept_as(HUB) != source_of(other).kept_as(other)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"weights": "s3://mine/ckpt"}, "with the / at its end"),
        ({"weights": "s3://mine/a//b/"}, "is expected"),
        ({"weights": "just-a-name", "revision": "v1"}, "organisation/name"),
        ({"weights": "Qwen/Qwen2.5-7B"}, "may change between two runs"),
        ({"weights": "s3://mine/ckpt/", "revision": "v1"}, "only a model of the Hub"),
        ({"weights": "s3://customer-escrow-1-smtj-2/ckpt/"}, "customised Nova model"),
        ({"weights": "Qwen/Qwen2.5-7B", "revision": "v1", "serving": "nova-micro"}, "in S3 only"),
        ({"weights": "s3://mine/ckpt/", "lora": "s3://mine/adapter"}, "the folder of an adapter"),
        (
            {"weights": "s3://mine/ckpt/", "lora": "s3://mine/adapter/", "serving": "lmi"},
            "only serving: vllm takes an adapter",
        ),
        ({"bedrock": "amazon.nova-micro-v1:0", "lora": "s3://a/b/"}, "only a model of `weights`"),
        (
            {
                "weights": "s3://mine/ckpt/",
                "serving": "nova-pro",
                "instance_types": ("ml.g5.xlarge",),
            },
            "allowed: ml.p5.48xlarge",
        ),
        ({"weights": "s3://mine/ckpt/", "instance_types": ("ml.g5.2xlarg",)}, "ml.g5.2xlarge"),
    ],
)
def test_weights_that_cannot_be_served_are_refused(fields, words):
    found = model_problems("candidates.A", AskedModel(**fields), Generation())
    assert words in "\n".join(found)


@pytest.mark.parametrize(
    "revision", ["main\nSM_VLLM_TRUST_REMOTE_CODE=true", "main\n", "-x", "a b"]
)
def test_a_revision_brings_no_variable_of_its_own(revision):
    text = msgspec.json.encode(
        {
            "name": "own",
            "candidates": {
                "A": {
                    "weights": "Qwen/Qwen2.5-7B",
                    "revision": revision,
                    "instance_types": ["ml.g5.xlarge"],
                },
                "B": {"file": "response_B"},
            },
        }
    ).decode()
    with pytest.raises(
        RecipeError, match=r"revision: found .* expected a commit, a branch or a tag"
    ):
        load_recipe(text, file="own.yaml")


def test_the_container_gets_no_variable_with_a_line_break():
    served = Served(image="vllm", weights="Qwen/Qwen2.5-7B", revision="main\nSM_VLLM_X=true")
    with pytest.raises(RecipeError, match=r"SM_VLLM_REVISION: .* holds a control character"):
        served.environment("ml.g5.xlarge")


def test_only_what_was_made_for_the_endpoint_is_removed():
    sagemaker = client()
    stub = Stubber(sagemaker)
    arn, now = "arn:aws:sagemaker:us-east-1:123456789012:model/x", "2026-11-29"
    names = ["e-own-1-aa", "x-e-own-1-bb", "e-own-1-cc"]
    configs = [
        {"EndpointConfigName": name, "EndpointConfigArn": arn, "CreationTime": now}
        for name in names
    ]
    models = [{"ModelName": name, "ModelArn": arn, "CreationTime": now} for name in names]
    # AWS lists ten a page where no more are asked for.
    first, second = {"NameContains": "e-own-1"}, {"NameContains": "e-own-1", "NextToken": "2"}
    stub.add_response(
        "list_endpoint_configs", {"EndpointConfigs": configs[:2], "NextToken": "2"}, first
    )
    stub.add_response("list_endpoint_configs", {"EndpointConfigs": configs[2:]}, second)
    stub.add_response("delete_endpoint_config", {}, {"EndpointConfigName": "e-own-1-aa"})
    stub.add_response("delete_endpoint_config", {}, {"EndpointConfigName": "e-own-1-cc"})
    stub.add_response("list_models", {"Models": models[:2], "NextToken": "2"}, first)
    stub.add_response("list_models", {"Models": models[2:]}, second)
    stub.add_response("delete_model", {}, {"ModelName": "e-own-1-aa"})
    stub.add_response("delete_model", {}, {"ModelName": "e-own-1-cc"})
    with stub:
        assert remove_configs(sagemaker, "e-own-1") == ["e-own-1-aa", "e-own-1-cc"]
    stub.assert_no_pending_responses()


def test_a_configuration_that_sagemaker_does_not_know_yet_is_asked_for_again():
    sagemaker = client()
    unknown = {"service_error_code": "ValidationException", "http_status_code": 400}
    unknown["service_message"] = 'Could not find endpoint configuration "e-own-1-aa".'
    with Stubber(sagemaker) as stub:
        stub.add_client_error("create_endpoint", **unknown)
        SageMakerEndpoints(sagemaker).create("e-own-1", "e-own-1-aa")
        stub.add_client_error("create_endpoint", **unknown)
        with pytest.raises(EndpointError, match="deploy the stack"):
            SageMakerEndpoints(sagemaker).create("e-of-the-stage", "e-of-the-stage-aa")
        stub.assert_no_pending_responses()


def test_a_configuration_is_read_before_an_endpoint_is_created_from_it():
    sagemaker = client()
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/x"
    with Stubber(sagemaker) as stub:
        stub.add_response("create_model", {"ModelArn": arn})
        stub.add_response("create_endpoint_config", {"EndpointConfigArn": arn})
        stub.add_client_error(
            "describe_endpoint_config",
            "ValidationException",
            "Could not find endpoint configuration",
        )
        configs = ensure_configs(
            sagemaker, own_endpoint(HUB), served_by(HUB), HUB.instance_types, PLACE
        )
        stub.assert_no_pending_responses()
    assert list(configs) == ["ml.g5.xlarge"]


def test_a_model_that_another_run_removes_meanwhile_is_made_again_by_the_next_call():
    sagemaker = client()
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/x"
    absent = ("ValidationException", f'Could not find model "{arn}".')
    with Stubber(sagemaker) as stub:
        stub.add_response("create_model", {"ModelArn": arn})
        stub.add_client_error("create_endpoint_config", *absent)
        stub.add_client_error("describe_endpoint_config", *absent)
        types = HUB.instance_types
        configs = ensure_configs(sagemaker, own_endpoint(HUB), served_by(HUB), types, PLACE)
        stub.add_client_error("create_endpoint", *absent)
        SageMakerEndpoints(sagemaker).create("e-own-1", configs["ml.g5.xlarge"])
        stub.assert_no_pending_responses()
