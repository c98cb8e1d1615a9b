"""PrepareEndpoints: lease the endpoints a run needs and bring them a step nearer to service."""

import functools
import json
import time
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import EndpointSettings, load
from nova_judge.answers.hosting import Host, is_in_service, prepare
from nova_judge.answers.leases import LONGEST_RUN_S, Lease
from nova_judge.aws import aws_clients, runs_table
from nova_judge.aws.checkpoints import HUB
from nova_judge.aws.endpoint_configs import Serving, ensure_configs
from nova_judge.aws.endpoint_lifecycle import sagemaker_endpoints
from nova_judge.aws.hub_copies import HubModel, copy_more
from nova_judge.aws.lease_table import lease_table
from nova_judge.aws.ways import AwsWays
from nova_judge.errors import EndpointError
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.sources.served import OWN
from nova_judge.steps import run_folder
from nova_judge.steps.endpoint_leases import is_awaited, withdraw_leases


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, endpoints, instances?, executions?, seconds?}` → `{ready}`, asked for until true.

    `run_id` is whose lease it is; `instances` narrows a model's instance types, in the order to try
    them; `executions` are the ARNs of those who ask: once one of them has ended, the leases taken
    here are given up again, since what releases a run may have looked before. `seconds` is the
    lease's length, by default that of the longest run. Raises EndpointError when an endpoint cannot
    be had.
    """
    settings = load(EndpointSettings)
    now = time.time()
    lease = Lease(event["run_id"], now + event.get("seconds", LONGEST_RUN_S))
    wanted: dict[str, list[str]] = event.get("instances", {})
    models = sorted(set(event["endpoints"]))
    try:
        # Nothing is leased, and paid for, while weights are copied.
        copied = all(_is_copied(settings, model, lease.owner, context) for model in models)
        ready = {
            model: copied and _step(settings, model, wanted.get(model, ()), lease, now)
            for model in models
        }
    finally:
        asking = event.get("executions", ()) if settings.endpoint_life == "on_demand" else ()
        if not is_awaited(settings.runs_table, lease.owner, asking):
            withdraw_leases(settings.runs_table, settings.job_prefix, lease.owner, models)
            logger.warning("nobody waits any more", owner=lease.owner)
    logger.info("endpoints", owner=lease.owner, ready=ready)
    return {"ready": all(ready.values())}


def _step(
    settings: EndpointSettings, model: str, wanted: Sequence[str], lease: Lease, now: float
) -> bool:
    host = Host(lease_table(settings.runs_table), sagemaker_endpoints(settings.stage))
    name = endpoint_name(settings.job_prefix, model)
    if settings.endpoint_life == "always_on":
        return is_in_service(host, name)
    served: dict[str, dict[str, str]] = json.loads(settings.endpoints)
    own = model.startswith(OWN)
    if not own and model not in served:
        raise EndpointError(
            f"model {model} is not served in stage {settings.stage}: add it to endpoint_models of "
            "the stage in cdk.json, and deploy"
        )

    @functools.cache
    def configs() -> dict[str, str]:
        return _own_configs(settings, model, wanted, lease.owner) if own else served[model]

    def tried() -> dict[str, str]:
        return {kind: configs()[kind] for kind in wanted or configs() if kind in configs()}

    runs_table.begin_lease(settings.runs_table, lease.owner, model, now)
    ready = prepare(host, name, tried, lease, now)
    if ready:
        config = host.endpoints.observe(name).config
        kind = next((kind for kind, known in configs().items() if known == config), "")
        runs_table.note_lease(settings.runs_table, lease.owner, model, "instance_type", kind)
    return ready


def _is_copied(settings: EndpointSettings, model: str, run_id: str, context: LambdaContext) -> bool:
    """Copy on where an endpoint serves a gated model; True where nothing is left to copy."""
    if not model.startswith(OWN) or settings.stand_in_models:
        return True
    run = run_folder.read_run(settings.data_bucket, run_id)
    served = run.serves.get(model) if run else None
    if served is None or not served.secret:
        return True
    key = AwsWays(settings.job_prefix).key_of(HUB, served.secret)
    gated = HubModel(served.weights, served.revision or "", key)
    return copy_more(
        gated, settings.data_bucket, lambda: context.get_remaining_time_in_millis() / 1000
    )


def _own_configs(
    settings: EndpointSettings, model: str, types: Sequence[str], run_id: str
) -> dict[str, str]:
    """The configurations of what the run's recipe names, made where they are not there."""
    run = run_folder.read_run(settings.data_bucket, run_id)
    served = run.serves.get(model) if run else None
    if served is None or not settings.weights_role_arn:
        raise EndpointError(
            f"{model}: stage {settings.stage} serves no weights for this run: name them in "
            "weights, model_packages or training_jobs of the stage in cdk.json, and deploy"
        )
    if served.secret and not settings.stand_in_models:
        served = served.copied(f"s3://{settings.data_bucket}/")
    region = aws_clients.sagemaker().meta.region_name
    account = catalog.images().serving.accounts.get(region)
    if account is None:
        raise EndpointError(f"{region}: no registry of AWS's serving images is known there")
    place = Serving(
        settings.job_prefix,
        settings.stage,
        settings.weights_role_arn,
        f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}",
        region,
        tuple(filter(None, settings.weights_subnets.split(","))),
        tuple(filter(None, settings.weights_security_groups.split(","))),
    )
    return ensure_configs(aws_clients.sagemaker(), model, served, types, place)
