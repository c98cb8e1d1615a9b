"""Rights that a stage's settings of candidates give: weights, and endpoints of the account."""

import pytest

from nova_judge.errors import SettingsError
from stacks.config import stage_config
from tests.hostile.function_rights import SERVING, problems
from tests.hostile.stage_rules import Stage
from tests.infrastructure.conftest import CONTEXT, KEY
from tests.infrastructure.test_organisation import allowed

SETTINGS = {
    "weights": ["s3://mine/ckpt/", "s3://customer-escrow-123456789012-smtj-ab/", "hub"],
    "model_packages": ["arn:aws:sagemaker:us-east-1:444455556666:model-package/tuned/*"],
    "training_jobs": ["sft-*"],
    "serving_image_repositories": ["arn:aws:ecr:us-east-1:123456789012:repository/mine"],
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


@pytest.mark.parametrize("function", ["GenerateResponses", "JudgeRows"])
@pytest.mark.parametrize("name", ["My-Model", "my-model", "ckpt-*"])
def test_an_endpoint_is_invoked_under_its_name_and_that_of_its_arn(stage, name, function):
    for kind in ("endpoint", "inference-component"):
        may = allowed(stage, function, f"{SAGEMAKER}:{kind}/{name}")
        assert "sagemaker:InvokeEndpoint" in may


@pytest.mark.parametrize("kind", ["prompt-router", "default-prompt-router"])
def test_prompt_routers_are_called_and_nothing_more(stage, kind):
    routers = f"arn:aws:bedrock:us-east-1:123456789012:{kind}/*"
    for function in ("GenerateResponses", "JudgeRows"):
        assert allowed(stage, function, routers) == {"bedrock:InvokeModel"}


def test_weights_under_the_key_of_the_stage_are_decrypted(stage):
    assert allowed(stage, "WeightsRole", KEY) == {"kms:Decrypt"}
    assert "kms:Decrypt" in allowed(stage, "PlanEvaluation", KEY)


@pytest.mark.parametrize("who", ["PlanEvaluation", "WeightsRole"])
def test_folders_are_read_by_who_settles_and_who_serves(stage, who):
    assert "s3:GetObject" in allowed(stage, who, "arn:aws:s3:::mine/ckpt/*")
    assert "s3:ListBucket" in allowed(stage, who, "arn:aws:s3:::mine")


@pytest.mark.parametrize(
    ("resource", "action"),
    [
        (SETTINGS["model_packages"][0], "sagemaker:DescribeModelPackage"),
        (f"{SAGEMAKER}:training-job/sft-*", "sagemaker:DescribeTrainingJob"),
    ],
)
def test_packages_and_jobs_that_the_stage_names_are_described(stage, resource, action):
    assert allowed(stage, "PlanEvaluation", resource) == {action}


def test_a_model_is_made_of_a_package_that_another_account_shares(stage):
    package = SETTINGS["model_packages"][0]
    assert allowed(stage, "PrepareEndpoints", package) == {"sagemaker:CreateModel"}


@pytest.mark.parametrize("repository", ["vllm", "djl-inference", "nova-inference-repo", "mine"])
def test_the_images_that_serve_are_pulled(stage, repository):
    accounts = {"mine": "123456789012", "nova-inference-repo": "708977205387"}
    account = accounts.get(repository, "763104351884")
    image = f"arn:aws:ecr:us-east-1:{account}:repository/{repository}"
    assert "ecr:BatchGetImage" in allowed(stage, "WeightsRole", image)
    anybody = image.replace(account, "*")
    assert allowed(stage, "WeightsRole", anybody) == set()


def test_gated_models_are_copied_by_the_one_function_that_has_the_hubs_keys(stage):
    keys = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nova-judge-prod/huggingface.co/*"
    assert allowed(stage, "PrepareEndpoints", keys) == {"secretsmanager:GetSecretValue"}
    assert allowed(stage, "WeightsRole", keys) == set()


def test_more_names_than_a_functions_environment_holds_are_refused_before_a_deployment():
    folders = [f"s3://mine/{number:03d}/{'x' * 85}/" for number in range(30)]
    with pytest.raises(SettingsError, match="take 3,029 characters together"):
        stage_config("prod", {"prod": {"weights": folders}})
    assert stage_config("prod", {"prod": {"weights": folders[:29]}}).serves


def test_the_functions_have_these_rights_and_no_others(synthesize):
    settings = {key: value for key, value in SETTINGS.items() if key != "kms_key"}
    built = synthesize(stage_config("prod", {"prod": CONTEXT["stages"]["prod"] | settings}))
    policies = built.resources("AWS::IAM::Policy")
    assert list(problems(Stage({"AWS::IAM::Policy": policies}, {}), SERVING)) == []
