"""Keys of servers: each for its own host, and none of an account where no stage is named."""

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from nova_judge.aws.ways import AwsWays
from nova_judge.errors import GenerationFailedError
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm

FORM = ChatForm("m", Generation())


@pytest.fixture
def secrets(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="stage/models.example.com/own", SecretString="key")
        yield client


def asked(url, prefix="stage"):
    return AwsWays(prefix).server(url, FORM, Generation(), "own")


def test_a_key_goes_to_the_host_that_its_secret_names(secrets):
    assert asked("https://Models.example.com:8443/v1")._headers["authorization"] == "Bearer key"


def test_a_recipe_cannot_have_the_key_sent_to_another_host(secrets):
    with pytest.raises(GenerationFailedError, match=r"the secret stage/example\.org/own cannot be"):
        asked("https://example.org/v1")


def test_without_a_stage_no_secret_of_the_account_is_read(secrets):
    secrets.create_secret(Name="/models.example.com/own", SecretString="other")
    secrets.create_secret(Name="/own", SecretString="other")
    with pytest.raises(GenerationFailedError, match="set OWN_API_KEY"):
        asked("https://models.example.com/v1", prefix="")


def test_a_role_without_the_right_is_not_advised_to_create_the_secret(secrets, monkeypatch):
    refusing = boto3.client("secretsmanager")
    stub = Stubber(refusing)
    stub.add_client_error("get_secret_value", "AccessDeniedException")
    monkeypatch.setattr(boto3, "client", lambda _: refusing)
    with stub, pytest.raises(GenerationFailedError, match=r"AccessDeniedException\): the stage's"):
        asked("https://models.example.com/v1")
