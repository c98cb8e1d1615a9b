"""AWS's partitions: separate clouds, with ARNs, addresses and consoles of their own; and one region
for every client.

Source: botocore's `partitions.json` (a test compares); an unknown region counts as commercial.
"""

from collections.abc import MutableMapping
from typing import NamedTuple


class Partition(NamedTuple):
    """`name` begins its ARNs, `suffix` ends its addresses, `console` is its console's domain."""

    name: str
    suffix: str
    console: str


COMMERCIAL = Partition("aws", "amazonaws.com", "console.aws.amazon.com")
_BY_REGION = {
    "cn-": Partition("aws-cn", "amazonaws.com.cn", "console.amazonaws.cn"),
    "us-gov-": Partition("aws-us-gov", "amazonaws.com", "console.amazonaws-us-gov.com"),
    "us-iso-": Partition("aws-iso", "c2s.ic.gov", "console.c2shome.ic.gov"),
    "us-isob-": Partition("aws-iso-b", "sc2s.sgov.gov", "console.sc2shome.sgov.gov"),
    "eu-isoe-": Partition("aws-iso-e", "cloud.adc-e.uk", "console.cloud.adc-e.uk"),
    "us-isof-": Partition("aws-iso-f", "csp.hci.ic.gov", "console.csphome.hci.ic.gov"),
    "eusc-": Partition("aws-eusc", "amazonaws.eu", "console.amazonaws-eusc.eu"),
}


def partition_of(region: str) -> Partition:
    """The partition that a region belongs to."""
    matching = (one for begins, one in _BY_REGION.items() if region.startswith(begins))
    return next(matching, COMMERCIAL)


VARIABLES = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")
"""The CDK's order. boto3 reads the third alone."""


def settle_region(environment: MutableMapping[str, str]) -> None:
    """Give the first that is set to all that read one of them: boto3, AWS's SDK and the CDK.

    Without any the profile's region counts, for all of them.
    """
    region = next(filter(None, (environment.get(name, "").strip() for name in VARIABLES)), None)
    if region is not None:
        environment.update(dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), region))
