"""BatchResponses: one shard's Bedrock candidates by batch inference; calls ask what that left."""

from collections.abc import Sequence
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.model_ways import ways_of
from lambdas.observability import lambda_function, logger, measure
from lambdas.settings import BatchSettings, load
from nova_judge.answers.generate import generate
from nova_judge.aws import s3
from nova_judge.aws.batch_jobs import BatchPlace
from nova_judge.inputs.dataset import Shard
from nova_judge.layout import RunLayout
from nova_judge.records import InputRow
from nova_judge.runs.run import Run
from nova_judge.steps import batch_shard, candidates, shard_files
from nova_judge.steps.batch_shard import BatchShard


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, shard}` → `{left}`: answers that are still to come; ask later until it is 0."""
    settings = load(BatchSettings)
    run = s3.read_record(settings.data_bucket, RunLayout(event["run_id"]).request, Run)
    shard = msgspec.convert(event["shard"], Shard)
    rows = shard_files.read_rows(run, shard).rows
    left = _answer(run, shard, rows, settings, context) if rows else 0
    logger.info("batch", run_id=run.run_id, shard=shard.index, rows=len(rows), left=left)
    return {"left": left}


def _answer(
    run: Run,
    shard: Shard,
    rows: Sequence[InputRow],
    settings: BatchSettings,
    context: LambdaContext,
) -> int:
    prompts = candidates.prompts(run, rows, run.batch)
    sources = candidates.sources(
        run, shard.index, settings.data_bucket, ways_of(settings), run.batch
    )
    place = BatchPlace(
        settings.job_prefix, settings.job_role_arn, settings.stage, settings.kms_key_arn
    )
    steps = [
        batch_shard.step(
            BatchShard(
                run,
                candidate,
                run.recipe.candidate(candidate).model,
                run.recipe.generation_for(candidate),
                shard.index,
                settings.data_bucket,
                place,
            ),
            prompts[candidate],
            source.journal,
        )
        for candidate, source in sources.items()
    ]
    if unreadable := sum(step.unreadable for step in steps):
        logger.warning("lines of batch output belong to no prompt", lines=unreadable)
    if not all(step.done for step in steps):
        return len(rows)
    generated = generate(
        prompts, sources, time_left=lambda: context.get_remaining_time_in_millis() / 1000
    )
    if generated.left == 0:
        measure(settings.stage, generated.measures)
        for candidate, outcomes in generated.outcomes.items():
            shard_files.write_responses(settings.data_bucket, run, shard, candidate, outcomes)
    return generated.left
