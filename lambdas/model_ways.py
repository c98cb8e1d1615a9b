"""The ways to models that a function's settings allow."""

import msgspec

from lambdas.settings import EndpointSettings
from nova_judge.aws.ways import AwsWays


def ways_of(settings: EndpointSettings) -> AwsWays:
    """Clients of this account, and the keys that local mode gives in place of secrets."""
    keys = msgspec.json.decode(settings.stand_in_keys, type=dict[str, str])
    return AwsWays(settings.job_prefix, keys)
