"""JudgeRows: one shard of a job whose judge is asked by calls, in both orders of each row."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.model_ways import ways_of
from lambdas.observability import logger
from lambdas.pings import answers_pings
from lambdas.settings import EndpointSettings, load
from nova_judge.aws import s3
from nova_judge.inputs.shards import Shard
from nova_judge.layout import RunLayout
from nova_judge.runs.run import decode_run
from nova_judge.steps.judge_shard import AskedShard, ask_shard


@answers_pings
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, number, shard}` → `{left}`: what there was no time for; ask until it is 0.

    Raises GenerationFailedError where asking further would bring nothing.
    """
    settings = load(EndpointSettings)
    run = decode_run(s3.read(settings.data_bucket, RunLayout(event["run_id"]).request))
    shard = msgspec.convert(event["shard"], Shard)
    asked = AskedShard(run, settings.data_bucket, event["number"], shard)
    left = ask_shard(
        asked, ways_of(settings), lambda: context.get_remaining_time_in_millis() / 1000
    )
    logger.info("judged", run_id=run.run_id, job=asked.number, shard=shard.index, left=left)
    return {"left": left}
