"""ReleaseEndpoints: delete the endpoints that a run had up."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import EndpointSettings, load
from nova_judge.adapters import endpoints
from nova_judge.catalog import endpoint_name


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id}` → `{released}`."""
    settings = load(EndpointSettings)
    for model in json.loads(settings.endpoints):
        endpoints.delete(endpoint_name(settings.job_prefix, model))
    logger.info("released", run_id=event["run_id"])
    return {"released": True}
