"""ClaimRun: the first execution that asks for a run gets it; then the run is written down."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.notifications import record
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import FunctionSettings, load
from nova_judge.aws import runs_table, s3
from nova_judge.findings.index_entry import entry_of_run
from nova_judge.json_lines import indented
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.sources.known_sources import endpoint_instances


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """PlanEvaluation's output → what the later states need to know, or `claimed: false`."""
    settings = load(FunctionSettings)
    run = msgspec.convert(event["run"], Run)
    claim = runs_table.claim(
        settings.runs_table, run.run_id, run.execution, run.created, by_event=event["by_event"]
    )
    if not claim.claimed:
        logger.info("already claimed", run_id=run.run_id, owner=claim.owner)
        return {"claimed": False, "run_id": run.run_id, "owner": claim.owner}
    logger.info("claimed", run_id=run.run_id, recipe=run.recipe.name)
    layout = RunLayout(run.run_id)
    shards = list(run.shards())
    s3.write(settings.data_bucket, layout.request, indented(run), "application/json")
    s3.write_record(settings.data_bucket, layout.shards, shards)
    record(settings.stage, settings.data_bucket, entry_of_run(run))
    measure(settings.stage, {"RunsStarted": 1, **_cost(run)})
    endpoints = endpoint_instances(map(run.recipe.candidate, run.generated()))
    return {
        "claimed": True,
        "run_id": run.run_id,
        "bucket": settings.data_bucket,
        "shards_key": layout.shards,
        "endpoints": sorted(endpoints),
        "instances": endpoints,
        "needs_endpoints": bool(endpoints),
        "batch": bool(run.batch),
        "generates": kind_of(run.recipe.kind).generates,
    }


def _cost(run: Run) -> dict[str, float]:
    """The estimate, and the part of the recipe's budget that it takes."""
    if run.estimate is None:
        return {}
    usd, budget = run.estimate.likely.usd, run.recipe.budget.max_usd
    return {"EstimatedUSD": usd, **({"BudgetUsed": 100 * usd / budget} if budget else {})}
