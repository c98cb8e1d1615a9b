"""BuildJobs: the files that a run's jobs read, and what is asked of AWS for each of them."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import lambda_function, logger
from lambdas.settings import BuildSettings, load
from nova_judge.aws import s3
from nova_judge.kinds.job import Deployment
from nova_judge.layout import RunLayout
from nova_judge.runs.run import Run
from nova_judge.steps.job_data import MOST_ROWS_AT_ONCE, build_jobs


@lambda_function
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, region}` → `{api, jobs, later, done}`: a request for each job.

    The jobs of `later` start only when they are needed.
    """
    settings = load(BuildSettings)
    run = s3.read_record(settings.data_bucket, RunLayout(event["run_id"]).request, Run)
    deployment = Deployment(
        bucket=settings.data_bucket,
        region=event["region"],
        account=context.invoked_function_arn.split(":")[4],
        job_prefix=settings.job_prefix,
        job_role_arn=settings.job_role_arn,
        stage=settings.stage,
        kms_key=settings.kms_key_arn,
    )
    built = build_jobs(run, deployment, settings.most_rows_at_once or MOST_ROWS_AT_ONCE)
    logger.info("jobs", run_id=run.run_id, jobs=len(built.jobs), later=len(built.later))
    answer: dict[str, Any] = msgspec.to_builtins(built._asdict())
    return answer
