"""WriteJobFiles: the file of one of very many rows' jobs, written beside the others."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import FunctionSettings, load
from nova_judge.aws import s3
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.steps.job_files import FilePiece, write_piece


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, piece}` → `{}`: the results of all pieces must not fill the state."""
    bucket = load(FunctionSettings).data_bucket
    run = s3.read_record(bucket, RunLayout(event["run_id"]).request, Run)
    piece = msgspec.convert(event["piece"], FilePiece)
    rows = write_piece(run, bucket, piece)
    logger.info("files", run_id=run.run_id, jobs=piece.jobs, rows=rows)
    return {}
