"""Gives up what a run leases."""

from collections.abc import Iterable

from nova_judge.answers.hosting import Host, release
from nova_judge.aws.endpoints import sagemaker_endpoints
from nova_judge.aws.lease_table import lease_table
from nova_judge.recipe.catalog import endpoint_name


def release_leases(table: str, prefix: str, owner: str, models: Iterable[str]) -> list[str]:
    """End the owner's leases on these models' endpoints; the models now being deleted."""
    host = Host(lease_table(table), sagemaker_endpoints())
    return [model for model in models if release(host, endpoint_name(prefix, model), owner)]
