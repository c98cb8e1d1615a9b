"""BuildEvaluationJobs: the jobs of a run that scores single answers, with the data they read."""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import PlanEvaluationSettings, load
from nova_judge.aws import s3
from nova_judge.inputs.own_data import OwnLine, read_own_data
from nova_judge.kinds.known import kind_of
from nova_judge.kinds.score_jobs import (
    Account,
    PlannedJob,
    job_data,
    job_files,
    job_source,
    pascal_case,
    plan_jobs,
)
from nova_judge.layout import RunLayout
from nova_judge.pairs.judge_dataset import DatasetCounter, DatasetSummary, FailedRow, check_summary
from nova_judge.recipe.bedrock_judge import dataset_line
from nova_judge.records import InputRow, Rejected
from nova_judge.runs.run import Run, decode_run
from nova_judge.runs.state_size import check_bedrock_jobs, check_state_size
from nova_judge.steps.dataset_lines import all_lines


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, region}` → `{api, jobs: [{number, request}]}`: one request a job."""
    settings = load(PlanEvaluationSettings)
    layout = RunLayout(event["run_id"])
    run = decode_run(s3.read(settings.data_bucket, layout.request))
    account = Account(
        bucket=settings.data_bucket,
        region=event["region"],
        account=context.invoked_function_arn.split(":")[4],
        job_prefix=settings.job_prefix,
        job_role_arn=settings.job_role_arn,
        stage=settings.stage,
    )
    summary, jobs = _write_data(run, settings.data_bucket)
    encoded = msgspec.json.encode(summary)
    s3.write(settings.data_bucket, layout.dataset, encoded, "application/json")
    if kind_of(run.recipe.kind).needs_file(run.recipe):
        check_summary(summary, run.input.uri, run.recipe.generation.max_failed)
    logger.info("jobs", run_id=run.run_id, rows=summary.rows, jobs=len(jobs))
    check_bedrock_jobs(sum(job.api == "bedrock" for job in jobs))
    requests = [_job(run, job, account) for job in jobs]
    check_state_size(requests)
    return {"api": jobs[0].api, "jobs": requests}


def _job(run: Run, job: PlannedJob, account: Account) -> dict[str, Any]:
    files = job_files(run, job, account)
    for key, content in files.files:
        s3.write(account.bucket, key, content)
    record = msgspec.json.encode(job)
    key = RunLayout(run.run_id).judge_job(job.number)
    s3.write(account.bucket, key, record, "application/json")
    request = pascal_case(files.request) if job.api == "bedrock" else files.request
    return {"number": job.number, "run_id": run.run_id, "request": request}


def _write_data(run: Run, bucket: str) -> tuple[DatasetSummary, list[PlannedJob]]:
    if not kind_of(run.recipe.kind).needs_file(run.recipe):
        jobs = plan_jobs(run, 0)
        return DatasetCounter().summary(len(jobs)), jobs
    if kind_of(run.recipe.kind).generates:
        return _write_answers(run, bucket)
    return _write_own_data(run, bucket)


def _write_own_data(run: Run, bucket: str) -> tuple[DatasetSummary, list[PlannedJob]]:
    """The one file that all jobs of the run read, and the list of what was left out."""
    layout = RunLayout(run.run_id)
    counter = DatasetCounter()
    with (
        s3.Writer(bucket, layout.judge_data(0, job_data(run))) as data,
        s3.Writer(bucket, layout.judge_rows(0)) as index,
        s3.Writer(bucket, layout.rejected) as rejected,
    ):
        for line in _own_lines(run):
            if isinstance(line, Rejected):
                counter.count(line)
                rejected.write(msgspec.json.encode(line) + b"\n")
            else:
                counter.rows += 1
                data.write(line.sent)
                index.write(msgspec.json.encode(line.row) + b"\n")
    jobs = plan_jobs(run, counter.rows)
    return counter.summary(len(jobs)), jobs


def _own_lines(run: Run) -> Iterator[OwnLine | Rejected]:
    item = s3.S3Object(run.input.bucket, run.input.key, run.input.version, run.input.size)
    return read_own_data(s3.stream(item, 0), item.size, run.recipe.kind)


def _write_answers(run: Run, bucket: str) -> tuple[DatasetSummary, list[PlannedJob]]:
    """Every candidate's answers, cut into jobs; rows stream through, once for each candidate."""
    layout = RunLayout(run.run_id)
    counter = DatasetCounter()
    with s3.Writer(bucket, layout.rejected) as rejected, s3.Writer(bucket, layout.failed) as failed:
        for line in all_lines(run, bucket, counter):
            counter.count(line)
            if not isinstance(line, InputRow):
                left_out = failed if isinstance(line, FailedRow) else rejected
                left_out.write(msgspec.json.encode(line) + b"\n")
    jobs = plan_jobs(run, counter.rows)
    for candidate in dict.fromkeys(job.subject for job in jobs):
        _write_parts(run, bucket, [job for job in jobs if job.subject == candidate])
    return counter.summary(len(jobs)), jobs


def _write_parts(run: Run, bucket: str, jobs: list[PlannedJob]) -> None:
    layout = RunLayout(run.run_id)
    rows = (row for row in all_lines(run, bucket, DatasetCounter()) if isinstance(row, InputRow))
    for job in jobs:
        with contextlib.ExitStack() as writers:
            data = writers.enter_context(
                s3.Writer(bucket, layout.judge_data(job.number, job_data(run)))
            )
            index = writers.enter_context(s3.Writer(bucket, layout.judge_rows(job.number)))
            for _ in range(job.last - job.first):
                row = next(rows)
                data.write(dataset_line(row, job.candidate, job_source(job)))
                index.write(msgspec.json.encode(row) + b"\n")
