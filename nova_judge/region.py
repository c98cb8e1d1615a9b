"""One region for every client, in the order in which the CDK looks for it."""

from collections.abc import MutableMapping

VARIABLES = ("AWS_REGION", "AMAZON_REGION", "AWS_DEFAULT_REGION", "AMAZON_DEFAULT_REGION")
"""The CDK's order. boto3 reads the third alone."""


def settle_region(environment: MutableMapping[str, str]) -> None:
    """Give the first that is set to all that read one of them: boto3, AWS's SDK and the CDK.

    Without any the profile's region counts, for all of them.
    """
    region = next(filter(None, (environment.get(name, "").strip() for name in VARIABLES)), None)
    if region is not None:
        environment.update(dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), region))
