"""JudgeRows: one shard of a job whose judge is asked by calls, in both orders of each row."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.model_ways import ways_of
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import BatchSettings, load
from nova_judge.aws import s3
from nova_judge.aws.batch_jobs import BatchPlace
from nova_judge.errors import GenerationFailedError, JudgeJobError
from nova_judge.inputs.dataset import Shard
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.steps.endpoint_leases import require_in_service
from nova_judge.steps.judge_shard import AskedShard, ask_shard


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, number, shard, endpoints}` → `{left, wait}`: replies that are still to come.

    Ask until `left` is 0; `wait` is true while a batch job is at work on them.
    Raises EndpointGoneError where the judge's endpoint is not, or no longer, in service, and
    JudgeJobError where asking further would bring nothing.
    """
    settings = load(BatchSettings)
    run = s3.read_record(settings.data_bucket, RunLayout(event["run_id"]).request, Run)
    shard = msgspec.convert(event["shard"], Shard)
    asked = AskedShard(run, settings.data_bucket, event["number"], shard)
    place = BatchPlace(
        settings.job_prefix, settings.job_role_arn, settings.stage, settings.kms_key_arn
    )
    endpoints = event["endpoints"]
    require_in_service(settings.job_prefix, endpoints)
    try:
        done = ask_shard(
            asked,
            ways_of(settings),
            lambda: context.get_remaining_time_in_millis() / 1000,
            place,
        )
    except GenerationFailedError as error:
        require_in_service(settings.job_prefix, endpoints)
        raise JudgeJobError(str(error)) from error
    measure(settings.stage, dict(done.measures))
    logger.info("judged", run_id=run.run_id, job=asked.number, shard=shard.index, left=done.left)
    return {"left": done.left, "wait": done.wait}
