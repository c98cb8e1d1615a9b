"""PrepareEndpoints: create the endpoints that a run needs, or find them up."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import EndpointSettings, load
from nova_judge.adapters import endpoints
from nova_judge.catalog import endpoint_name


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, endpoints}` → `{ready}`; called again until it is true."""
    settings = load(EndpointSettings)
    configs = json.loads(settings.endpoints)
    states = {
        model: endpoints.ensure(endpoint_name(settings.job_prefix, model), configs[model])
        for model in event["endpoints"]
    }
    logger.info("endpoints", run_id=event["run_id"], states=states)
    return {"ready": all(state == endpoints.IN_SERVICE for state in states.values())}
