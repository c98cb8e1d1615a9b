"""WatchEndpoints: the second net. On a schedule, it deletes and stops what no running run needs."""

import functools
import itertools
import json
import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import WatchSettings, load
from nova_judge.answers.hosting import Host, Swept, sweep
from nova_judge.aws import (
    batch_jobs,
    evaluation_jobs,
    executions,
    judge_jobs,
    log_groups,
    runs_table,
)
from nova_judge.aws.endpoints import sagemaker_endpoints
from nova_judge.aws.lease_table import lease_table
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.runs.orphans import orphans


@logger.inject_lambda_context
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
    if settings.endpoint_life == "on_demand":
        endpoints = sagemaker_endpoints()
        ours = (endpoint_name(settings.job_prefix, m) for m in json.loads(settings.endpoints))
        names = dict.fromkeys(itertools.chain(ours, endpoints.names(prefix)))
        swept = sweep(Host(lease_table(settings.runs_table), endpoints), names, run_is_running, now)
    stopped = []
    for jobs in (judge_jobs, batch_jobs, evaluation_jobs):
        for job in orphans(jobs.running(prefix), running_execution, now):
            jobs.stop(job.handle)
            stopped.append(job.name)
    if settings.log_retention_days:
        endpoint_logs = f"/aws/sagemaker/Endpoints/{prefix}"
        logger.info("expire", groups=log_groups.expire(endpoint_logs, settings.log_retention_days))
    done = {**swept._asdict(), "jobs_stopped": stopped}
    logger.info("watched", **done)
    return done
