"""Requests for Bedrock's jobs are refused as AWS refuses them."""

import pytest

from nova_judge_local.bedrock.runtime_api import check_pattern
from nova_judge_local.sagemaker.api import ApiError

ACCOUNT = "arn:aws:bedrock:us-east-1:111122223333"


def check(model):
    check_pattern("CreateModelInvocationJobRequest", "modelId", {"modelId": model})


@pytest.mark.parametrize(
    "model",
    [
        "amazon.nova-lite-v1:0",
        "us.anthropic.claude-sonnet-4-6",
        f"{ACCOUNT}:inference-profile/us.amazon.nova-lite-v1:0",
        f"{ACCOUNT}:application-inference-profile/abcd1234efgh",
    ],
)
def test_batch_inference_takes_models_and_profiles(model):
    check(model)


@pytest.mark.parametrize(
    "kind", ["imported-model", "provisioned-model", "custom-model-deployment", "prompt-router"]
)
def test_batch_inference_refuses_models_that_are_called_alone(kind):
    with pytest.raises(ApiError, match="failed to satisfy constraint"):
        check(f"{ACCOUNT}:{kind}/abcd1234efgh")
