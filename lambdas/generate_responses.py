"""GenerateResponses: one shard. Read its lines, let the candidates answer, write both down."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.model_ways import ways_of
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import EndpointSettings, load
from nova_judge.answers.generate import generate
from nova_judge.aws import s3
from nova_judge.errors import GenerationFailedError
from nova_judge.inputs.dataset import Shard, ShardRows
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.steps import candidates, shard_files
from nova_judge.steps.endpoint_leases import require_in_service


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, shard, endpoints}` → `{left}`: what there was no time for; ask until it is 0.

    Raises EndpointGoneError where an endpoint is not, or no longer, in service, and
    GenerationFailedError where asking further would bring nothing.
    """
    settings = load(EndpointSettings)
    run = s3.read_record(settings.data_bucket, RunLayout(event["run_id"]).request, Run)
    shard = msgspec.convert(event["shard"], Shard)
    require_in_service(settings.job_prefix, event["endpoints"])
    rows = shard_files.read_rows(run, shard)
    shard_files.write_rows(settings.data_bucket, run, shard, rows)
    try:
        left = _answer(run, shard, rows, settings, context)
    except GenerationFailedError:
        require_in_service(settings.job_prefix, event["endpoints"])
        raise
    logger.info("shard", run_id=run.run_id, shard=shard.index, rows=len(rows.rows), left=left)
    return {"left": left}


def _answer(
    run: Run, shard: Shard, rows: ShardRows, settings: EndpointSettings, context: LambdaContext
) -> int:
    asked = [c for c in run.generated() if c not in run.batch]
    if not (asked and rows.rows):
        return 0
    generated = generate(
        candidates.prompts(run, rows.rows, asked),
        candidates.sources(run, shard.index, settings.data_bucket, ways_of(settings), asked),
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    logger.info("asked", run_id=run.run_id, shard=shard.index, in_flight=generated.in_flight)
    if generated.left == 0:
        measure(settings.stage, generated.measures)
        for candidate, outcomes in generated.outcomes.items():
            shard_files.write_responses(settings.data_bucket, run, shard, candidate, outcomes)
    return generated.left
