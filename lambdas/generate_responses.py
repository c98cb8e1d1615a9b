"""GenerateResponses: one shard. Read its lines, let the candidates answer, write both down."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import EndpointSettings, load
from nova_judge.adapters import candidates, s3
from nova_judge.adapters.endpoints import sagemaker_endpoints
from nova_judge.answers import Answer, Outcome, lasting
from nova_judge.catalog import endpoint_name
from nova_judge.errors import EndpointGoneError
from nova_judge.generation import generate
from nova_judge.judge_dataset import Response
from nova_judge.leases import Status
from nova_judge.records import Candidate
from nova_judge.run import Run, decode_run
from nova_judge.run_layout import RunLayout
from nova_judge.shard_rows import ShardRows, read_shard
from nova_judge.shards import Shard


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, shard, endpoints}` → `{left}`: what there was no time for; ask until it is 0.

    Raises EndpointGoneError where an endpoint is not in service, before any row is asked.
    """
    settings = load(EndpointSettings)
    layout = RunLayout(event["run_id"])
    run = decode_run(s3.read(settings.data_bucket, layout.request))
    shard = msgspec.convert(event["shard"], Shard)
    _require_endpoints(settings, event["endpoints"])
    rows = _read(run, shard)
    s3.write(settings.data_bucket, layout.rows(shard.index), rows.encode(), "application/json")
    left = _answer(run, shard, rows, settings, context) if run.generated() and rows.rows else 0
    logger.info("shard", run_id=run.run_id, shard=shard.index, rows=len(rows.rows), left=left)
    return {"left": left}


def _require_endpoints(settings: EndpointSettings, models: list[str]) -> None:
    endpoints = sagemaker_endpoints()
    for name in {endpoint_name(settings.job_prefix, model) for model in models}:
        observed = endpoints.observe(name)
        if observed.status is not Status.IN_SERVICE:
            raise EndpointGoneError(f"endpoint {name} is {observed.status}: prepare it again")


def _read(run: Run, shard: Shard) -> ShardRows:
    item = s3.S3Object(run.input.bucket, run.input.key, run.input.version, run.input.size)
    return read_shard(s3.stream(item, max(shard.start - 1, 0)), shard, run.sources)


def _answer(
    run: Run, shard: Shard, rows: ShardRows, settings: EndpointSettings, context: LambdaContext
) -> int:
    generated = generate(
        [row.prompt for row in rows.rows],
        candidates.sources(run, shard.index, settings.data_bucket, settings.job_prefix),
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    if generated.left == 0:
        for candidate, outcomes in generated.outcomes.items():
            _write(settings.data_bucket, run, candidate, shard, outcomes)
    return generated.left


def _write(
    bucket: str, run: Run, candidate: Candidate, shard: Shard, outcomes: list[Outcome | None]
) -> None:
    lines = [
        msgspec.json.encode(
            Response(answer=lasting(outcome))
            if isinstance(outcome, Answer)
            else Response(failed=outcome)
        )
        for outcome in outcomes
    ]
    key = RunLayout(run.run_id).responses(candidate, shard.index)
    s3.write(bucket, key, b"\n".join(lines) + b"\n", "application/x-ndjson")
