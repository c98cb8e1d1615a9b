"""The ways to models that a function's settings allow."""

from pathlib import Path

import msgspec

from lambdas.settings import EndpointSettings
from nova_judge.aws.ways import AwsWays


def ways_of(settings: EndpointSettings) -> AwsWays:
    """Clients of this account, and the keys that local mode gives in place of secrets."""
    keys = msgspec.json.decode(settings.stand_in_keys or "{}", type=dict[str, str])
    kept = Path(settings.stand_in_kept) if settings.stand_in_kept else None
    return AwsWays(settings.job_prefix, keys, kept)
