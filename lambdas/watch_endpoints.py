"""WatchEndpoints: the second net. On a schedule, it deletes and stops what no running run needs."""

import datetime
import functools
import itertools
import json
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import WatchSettings, load
from nova_judge.answers.hosting import Host, SeenEndpoint, Swept, is_left_over, measures_of, sweep
from nova_judge.aws import (
    aws_clients,
    batch_jobs,
    evaluation_jobs,
    executions,
    judge_jobs,
    run_logs,
    runs_table,
)
from nova_judge.aws.endpoint_configs import endpoints_with_configs, remove_configs
from nova_judge.aws.endpoint_lifecycle import sagemaker_endpoints
from nova_judge.aws.lease_table import lease_table
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.runs.stopping import orphans


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Any event → `{leases_ended, endpoints_deleted, jobs_stopped}`."""
    settings = load(WatchSettings)
    now = time.time()

    @functools.cache
    def running_execution(run_id: str) -> str | None:
        execution = runs_table.execution_of(settings.runs_table, run_id)
        return execution if execution and executions.is_running(execution) else None

    def run_is_running(run_id: str) -> bool:
        return running_execution(run_id) is not None

    prefix = f"{settings.job_prefix}-"
    # Endpoints first: they cost most, and go on costing where a job's service does not answer.
    swept = Swept((), ())
    endpoints, book = sagemaker_endpoints(), lease_table(settings.runs_table)
    ours = (endpoint_name(settings.job_prefix, m) for m in json.loads(settings.endpoints))
    made: dict[str, float] = {}
    if settings.weights_role_arn:
        made = endpoints_with_configs(aws_clients.sagemaker(), prefix)
    names = dict.fromkeys(itertools.chain(ours, endpoints.names(prefix), made))
    if settings.endpoint_life == "on_demand":
        host = Host(book, endpoints)
        swept = sweep(host, names, run_is_running, now)
        for name in (name for name, since in made.items() if is_left_over(host, name, since, now)):
            remove_configs(aws_clients.sagemaker(), name)
    _measure(settings, [SeenEndpoint(endpoints.observe(n), book.read(n)) for n in names], now)
    stopped = []
    for jobs in (judge_jobs, batch_jobs, evaluation_jobs):
        for job in orphans(jobs.running(prefix), running_execution, now):
            jobs.stop(job.handle)
            stopped.append(job.name)
    if settings.log_retention_days:
        endpoint_logs = f"/aws/sagemaker/Endpoints/{prefix}"
        logger.info("expire", groups=run_logs.expire(endpoint_logs, settings.log_retention_days))
    done = {**swept._asdict(), "jobs_stopped": stopped}
    logger.info("watched", **done)
    return done


def _measure(settings: WatchSettings, seen: list[SeenEndpoint], now: float) -> None:
    """Tell what is up and under way; the stack's own endpoints (`always_on`) need no lease."""
    configs: dict[str, dict[str, str]] = json.loads(settings.endpoints)
    instance_types = {name: kind for kinds in configs.values() for kind, name in kinds.items()}
    begun = [
        datetime.datetime.fromisoformat(item["created"]).timestamp()
        for item in runs_table.all_runs(settings.runs_table)
        if item["status"] not in (runs_table.FAILED, runs_table.REPORTED)
    ]
    measures = measures_of(seen, instance_types, begun, now)
    if settings.endpoint_life == "always_on":
        measures["EndpointsWithoutLease"] = 0
    measure(settings.stage, measures)
