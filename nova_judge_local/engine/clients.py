"""How everything in local mode speaks to the emulated account."""

import functools
from typing import Any, TypeAlias

import boto3
from botocore.config import Config

KEY = "test"
"""Identifier and secret of the key that the emulated account takes."""

Client: TypeAlias = Any
"""A boto3 client: they have no common type that says anything."""


def environment(endpoint_url: str, region: str) -> dict[str, str]:
    """The variables under which any AWS tool talks to the emulated account."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }


@functools.lru_cache(maxsize=64)
def client(service: str, endpoint_url: str, region: str) -> Client:
    """A boto3 client of the emulated account; one a service."""
    config = Config(
        s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, max_pool_connections=64
    )
    session = boto3.Session(KEY, KEY, region_name=region)
    made: Client = session.client(service, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]
    return made
