"""ReleaseEndpoints: give up the leases of a run; endpoints nobody leases any more are deleted."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import EndpointSettings, load
from nova_judge.steps.endpoint_leases import release_leases


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, endpoints?}` → `{deleted}`: the models whose endpoints nobody leases any more.

    `run_id` is whose leases end; `endpoints` narrows them to some models.
    """
    settings = load(EndpointSettings)
    served = json.loads(settings.endpoints)
    asked = event.get("endpoints")
    deleted = release_leases(
        settings.runs_table,
        settings.job_prefix,
        event["run_id"],
        served if asked is None else asked,
        own=asked is None and bool(settings.weights_role_arn),
    )
    logger.info("released", owner=event["run_id"], deleted=deleted)
    return {"deleted": deleted}
