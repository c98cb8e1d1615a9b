"""ReleaseEndpoints: give up the leases of a run; endpoints nobody leases any more are deleted."""

import json
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
    settings = load(EndpointSettings)
    host = Host(lease_table(settings.runs_table), sagemaker_endpoints())
    models = event.get("endpoints", json.loads(settings.endpoints))
    deleted = [
        model
        for model in models
        if release(host, endpoint_name(settings.job_prefix, model), event["run_id"])
    ]
    logger.info("released", owner=event["run_id"], deleted=deleted)
    return {"deleted": deleted}
