"""Clients with which everything in local mode speaks to the emulated account."""

import functools
import os
from typing import Any, TypeAlias

KEY = "test"
"""Identifier and secret of the key that the emulated account takes."""

USED = ("s3", "cloudformation", "stepfunctions")

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


def load(region: str) -> None:
    """Read what clients are made of, which takes as long as the account takes to start."""
    for service in USED:
        _session(region).client(service)


@functools.lru_cache(maxsize=64)
def client(service: str, endpoint_url: str, region: str) -> Client:
    """A boto3 client of the emulated account; one per service."""
    from botocore.config import Config  # noqa: PLC0415 - see _session

    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 2},
        max_pool_connections=64,
        proxies={},  # none of the environment's: the account is on this machine
    )
    return _session(region).client(service, endpoint_url=endpoint_url, config=config)


@functools.cache
def _session(region: str) -> Any:  # noqa: ANN401 - clients by a name that is not a literal
    """One for all clients: what it reads of botocore's data, it keeps.

    It knows nothing of the user's profiles: one that does not exist does not matter here.
    """
    import boto3  # noqa: PLC0415 - while the account starts, and not before
    from botocore.session import Session  # noqa: PLC0415

    unset = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    variables = {"profile": unset, "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(KEY, KEY, region_name=region, botocore_session=Session(variables))
