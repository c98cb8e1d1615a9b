"""ReleaseEndpoints: give up the leases of a run; endpoints nobody leases any more are deleted."""

import json
from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import EndpointSettings, load
from nova_judge.adapters.endpoints import sagemaker_endpoints
from nova_judge.adapters.lease_table import lease_table
from nova_judge.generation.hosting import Host, release
from nova_judge.recipe.catalog import endpoint_name


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, endpoints?}` → `{deleted}`: the models whose endpoints nobody leases any more.

    `run_id` is whose leases end; `endpoints` narrows them to some models.
    """
    deleted = release_leases(load(EndpointSettings), event["run_id"], event.get("endpoints"))
    return {"deleted": deleted}


def release_leases(
    settings: EndpointSettings, owner: str, models: Iterable[str] | None = None
) -> list[str]:
    """End the owner's leases, on all models unless some are named; the models now being deleted."""
    host = Host(lease_table(settings.runs_table), sagemaker_endpoints())
    deleted = [
        model
        for model in (json.loads(settings.endpoints) if models is None else models)
        if release(host, endpoint_name(settings.job_prefix, model), owner)
    ]
    logger.info("released", owner=owner, deleted=deleted)
    return deleted
