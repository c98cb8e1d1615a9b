"""Rights that a stage's settings of candidates give: weights, and endpoints of the account."""

import pytest

from stacks.config import stage_config
from tests.infrastructure.conftest import CONTEXT, KEY
from tests.infrastructure.test_organisation import allowed

SETTINGS = {
    "weights": ["s3://mine/ckpt/"],
    "candidate_endpoints": ["My-Model", "ckpt-*"],
    "kms_key": KEY,
}
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.fixture(scope="module")
def stage(synthesize):
    return synthesize(stage_config("prod", {"prod": CONTEXT["stages"]["prod"] | SETTINGS}))


def test_own_configurations_are_read_before_they_are_used(stage):
    configs = f"{SAGEMAKER}:endpoint-config/nova-judge-prod-own-*"
    assert "sagemaker:DescribeEndpointConfig" in allowed(stage, "PrepareEndpoints", configs)


@pytest.mark.parametrize("name", ["My-Model", "my-model", "ckpt-*"])
def test_an_endpoint_is_invoked_under_its_name_and_that_of_its_arn(stage, name):
    for kind in ("endpoint", "inference-component"):
        may = allowed(stage, "GenerateResponses", f"{SAGEMAKER}:{kind}/{name}")
        assert "sagemaker:InvokeEndpoint" in may


@pytest.mark.parametrize("kind", ["prompt-router", "default-prompt-router"])
def test_prompt_routers_are_called_and_nothing_more(stage, kind):
    routers = f"arn:aws:bedrock:us-east-1:123456789012:{kind}/*"
    for function in ("GenerateResponses", "JudgeRows"):
        assert allowed(stage, function, routers) == {"bedrock:InvokeModel"}


def test_weights_under_the_key_of_the_stage_are_decrypted(stage):
    assert allowed(stage, "WeightsRole", KEY) == {"kms:Decrypt"}
