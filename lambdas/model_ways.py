"""The ways to models that a function's settings allow."""

from pathlib import Path

import msgspec

from lambdas.settings import EndpointSettings
from nova_judge.aws.ways import AwsWays


def ways_of(settings: EndpointSettings) -> AwsWays:
    """Clients of this account, and the keys that local mode gives in place of secrets."""
    keys = keys_in(settings.stand_in_keys)
    kept = Path(settings.stand_in_kept) if settings.stand_in_kept else None
    return AwsWays(settings.job_prefix, keys, kept)


def keys_in(text: str) -> dict[str, str]:
    """The keys of model servers that only local mode gives, by their secrets' names."""
    return msgspec.json.decode(text or "{}", type=dict[str, str])
