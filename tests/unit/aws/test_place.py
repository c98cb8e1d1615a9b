"""One region for every client and the CDK, and one sentence where AWS cannot be asked."""

import os
from functools import partial

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from nova_judge.aws.place import (
    current_place,
    current_region,
    missing_access_explained,
    refusals_explained,
)
from nova_judge.errors import AccessError
from nova_judge.partitions import VARIABLES, settle_region

PROFILES = "[default]\nregion = eu-north-1\n[profile bare]\n[profile west]\nregion = us-west-2\n"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No region, no credentials, and three profiles."""
    for name in (*VARIABLES, "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        # Set first, so that what the code under test writes is taken back too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    config = tmp_path / "config"
    config.write_text(PROFILES)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "region"),
    [
        ({"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-east-1"}, "us-west-2"),
        ({"AMAZON_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-east-1"}, "us-west-2"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": " ", "AWS_DEFAULT_REGION": "us-east-1 "}, "us-east-1"),
    ],
)
def test_the_first_region_of_the_cdks_order_is_everybodys(given, region):
    environment = dict(given)
    settle_region(environment)

    assert (environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]) == (region, region)


def test_without_a_variable_the_environment_stays_as_it_is():
    environment: dict[str, str] = {}
    settle_region(environment)

    assert environment == {}


@pytest.mark.parametrize(
    ("given", "region"),
    [
        ({}, "eu-north-1"),
        ({"AWS_PROFILE": "west"}, "us-west-2"),
        ({"AWS_PROFILE": "bare"}, "eu-north-1"),
        ({"AWS_PROFILE": "west", "AWS_REGION": "ca-central-1"}, "ca-central-1"),
    ],
)
def test_clients_take_the_region_that_the_cdk_would_take(bare, given, region):
    for name, value in given.items():
        bare.setenv(name, value)

    assert current_region() == region
    assert boto3.client("sqs").meta.region_name == region


def test_account_and_region_are_read_together(bare):
    bare.setenv("AWS_REGION", "us-west-2")
    bare.setenv("AWS_ACCESS_KEY_ID", "testing")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        assert str(current_place()) == "account 123456789012, region us-west-2"


def test_no_region_and_no_credentials_are_one_sentence_each(bare):
    with pytest.raises(AccessError, match="no credentials that work: Unable to locate"):
        current_place()
    bare.setenv("AWS_CONFIG_FILE", "/nonexistent")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        bare.delenv(name)
    with pytest.raises(AccessError, match="no region is set: set AWS_REGION"):
        current_place()


def test_a_refusal_names_doctor_after_one_full_stop(bare):
    said = r"ListQueues operation: AWS is away\. `nova-judge doctor --stage dev` says what"
    with pytest.raises(AccessError, match=said), refusals_explained("dev"):
        raise ClientError({"Error": {"Message": "AWS is away."}}, "ListQueues")


@pytest.mark.parametrize(
    "explained", [missing_access_explained, partial(refusals_explained, "dev")]
)
@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "^no region is set"), ({"AWS_REGION": "us-west-2"}, "^no credentials that work")],
)
def test_a_call_without_region_or_credentials_says_which(bare, given, said, explained):
    bare.setenv("AWS_CONFIG_FILE", "/nonexistent")
    for name, value in given.items():
        bare.setenv(name, value)
    settle_region(os.environ)
    with pytest.raises(AccessError, match=said), explained():
        boto3.client("sqs").list_queues()


def test_a_profile_that_is_not_there_is_one_sentence(bare):
    bare.setenv("AWS_PROFILE", "typo")
    with pytest.raises(AccessError, match=r"profile \(typo\) could not be found: correct AWS_PROF"):
        current_place()
