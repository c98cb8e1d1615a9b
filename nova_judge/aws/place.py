"""The account and the region that commands work in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from nova_judge.aws.client_errors import code_of
from nova_judge.errors import AccessError
from nova_judge.partitions import settle_region

PROMPT = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
NO_REGION = "no region is set: set AWS_REGION, or `region` of the profile"


class Place(NamedTuple):
    """Account and region that a command sees; `caller` is an ARN."""

    account: str
    region: str
    caller: str

    def __str__(self) -> str:
        return f"account {self.account}, region {self.region}"


def current_region() -> str | None:
    """The region that every client takes, and the CDK too; None where none is set.

    A profile without a region has that of the profile `default`, as in the CDK. Raises AccessError
    for a profile that is not there.
    """
    settle_region(os.environ)
    try:
        session = boto3.session.Session()
    except ProfileNotFound as error:
        raise AccessError(f"{error}: correct AWS_PROFILE, or add it to ~/.aws/config") from error
    # `_session`: boto3 shows no profile but the chosen one.
    profiles = session._session.full_config.get("profiles", {})
    region = session.region_name or profiles.get("default", {}).get("region")
    if region:
        os.environ["AWS_REGION"] = region
        settle_region(os.environ)
    return region


def current_place() -> Place:
    """Ask in which account and region a command would work. Raises AccessError with what to do."""
    region = current_region()
    if region is None:
        raise AccessError(NO_REGION)
    make: Any = boto3.client
    try:
        identity = make("sts", config=PROMPT).get_caller_identity()
    except ClientError as error:
        raise AccessError(
            f"AWS does not take the credentials ({code_of(error)}): sign in again (`aws sso "
            "login`), or name another profile with AWS_PROFILE"
        ) from error
    except BotoCoreError as error:
        raise AccessError(_no_credentials(error)) from error
    return Place(identity["Account"], region, identity["Arn"])


def _no_credentials(error: BotoCoreError) -> str:
    return (
        f"no credentials that work: {str(error).rstrip('.')}. Sign in (`aws sso login`), or "
        "name a profile with AWS_PROFILE"
    )


@contextmanager
def missing_access_explained() -> Iterator[None]:
    """Turn a region or credentials that are not there into AccessError."""
    try:
        yield
    except NoRegionError as error:
        raise AccessError(NO_REGION) from error
    except NoCredentialsError as error:
        raise AccessError(_no_credentials(error)) from error


@contextmanager
def refusals_explained(stage: str) -> Iterator[None]:
    """Turn what AWS refuses, or credentials that are not there, into AccessError."""
    try:
        with missing_access_explained():
            yield
    except (BotoCoreError, ClientError) as error:
        raise AccessError(
            f"AWS refused the call: {str(error).rstrip('.')}. "
            f"`nova-judge doctor --stage {stage}` says what is missing"
        ) from error
