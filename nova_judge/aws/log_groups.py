"""Log groups that AWS makes by itself, and keeps for ever by default."""

import functools
from typing import Any

import boto3


@functools.cache
def _client() -> Any:  # noqa: ANN401 - stubs for two calls
    make: Any = boto3.client
    return make("logs")


def expire(prefix: str, days: int) -> list[str]:
    """Keep so many days what the groups of this prefix kept for ever; the groups' names.

    `days` is one of the numbers that CloudWatch Logs offers.
    """
    pages = _client().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    names = [
        group["logGroupName"]
        for page in pages
        for group in page["logGroups"]
        if "retentionInDays" not in group
    ]
    for name in names:
        _client().put_retention_policy(logGroupName=name, retentionInDays=days)
    return names
