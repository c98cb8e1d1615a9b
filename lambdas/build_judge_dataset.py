"""BuildJudgeDataset: merge the shards into the judge's files and the lists of what was left out."""

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import PlanEvaluationSettings, load
from nova_judge.aws import s3
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import Control, control_rows
from nova_judge.pairs.judge_dataset import (
    DatasetCounter,
    DatasetSummary,
    FailedRow,
    check_summary,
    judge_line,
)
from nova_judge.recipe.recipe import recipe_to_nova_yaml
from nova_judge.records import InputRow
from nova_judge.runs.run import Run, decode_run
from nova_judge.runs.state_size import check_state_size
from nova_judge.runs.training_job import training_job_name, training_job_request
from nova_judge.steps.dataset_lines import all_lines
from nova_judge.tags import run_tags

CONTROL_ROWS = 100


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{run_id, region}` → `{jobs, later, done}`: a request a judge job, `{number, request}` each.

    With `stop: when_decided` one job runs at a time: those of `later` only when they are needed.
    """
    settings = load(PlanEvaluationSettings)
    layout = RunLayout(event["run_id"])
    run = decode_run(s3.read(settings.data_bucket, layout.request))
    summary = _write_dataset(run, settings.data_bucket)
    summary = msgspec.structs.replace(
        summary, controls=_write_controls(run, settings.data_bucket, summary.jobs)
    )
    encoded = msgspec.json.encode(summary)
    s3.write(settings.data_bucket, layout.dataset, encoded, "application/json")
    logger.info("dataset", run_id=run.run_id, counts=_counts(summary))
    check_summary(summary, run.input.uri, run.recipe.generation.max_failed)
    jobs = [_job(run, number, settings, event["region"]) for number in range(summary.all_jobs)]
    check_state_size(jobs)
    at_once = 1 if run.recipe.stop else summary.jobs
    now = jobs[:at_once] + jobs[summary.jobs :]
    return {"jobs": now, "later": jobs[at_once : summary.jobs], "done": at_once}


def _counts(summary: DatasetSummary) -> dict[str, int]:
    return {
        name: getattr(summary, name) for name in ("input", "rejected", "generation_failed", "rows")
    }


def _write_dataset(run: Run, bucket: str) -> DatasetSummary:
    layout = RunLayout(run.run_id)
    counter = DatasetCounter()
    with (
        s3.Writer(bucket, layout.rejected) as rejected,
        s3.Writer(bucket, layout.failed) as failed,
        contextlib.ExitStack() as current,
    ):
        judge = _JudgeFiles(bucket, layout, run.recipe.judge.max_rows_per_job, current)
        for line in all_lines(run, bucket, counter):
            counter.count(line)
            if isinstance(line, InputRow):
                judge.write(line)
            else:
                left_out = failed if isinstance(line, FailedRow) else rejected
                left_out.write(msgspec.json.encode(line) + b"\n")
    return counter.summary(judge.count)


def _write_controls(run: Run, bucket: str, jobs: int) -> tuple[str, ...]:
    """The judge's files of the recipe's controls, in rows that no candidate should win."""
    layout = RunLayout(run.run_id)
    for number, control in enumerate(run.recipe.controls, jobs):
        rows = control_rows(
            _judged_rows(bucket, layout, jobs),
            Control(control),
            CONTROL_ROWS,
            run.recipe.statistics.seed,
        )
        with (
            s3.Writer(bucket, layout.judge_input(number)) as pairs,
            s3.Writer(bucket, layout.judge_rows(number)) as index,
        ):
            for row in rows:
                pairs.write(judge_line(row))
                index.write(msgspec.json.encode(row) + b"\n")
    return run.recipe.controls


def _judged_rows(bucket: str, layout: RunLayout, jobs: int) -> Iterator[InputRow]:
    for number in range(jobs):
        for line in s3.lines(s3.describe(bucket, layout.judge_rows(number))):
            yield msgspec.json.decode(line, type=InputRow)


class _JudgeFiles:
    """One file for each judge job, begun when the one before is full and written."""

    def __init__(
        self, bucket: str, layout: RunLayout, most: int | None, current: contextlib.ExitStack
    ) -> None:
        self.count = 0
        self._rows = 0
        self._bucket, self._layout, self._most, self._current = bucket, layout, most, current

    def write(self, row: InputRow) -> None:
        if self.count == 0 or self._rows == self._most:
            self._begin()
        self._rows += 1
        self._input.write(judge_line(row))
        self._index.write(msgspec.json.encode(row) + b"\n")

    def _begin(self) -> None:
        self._current.close()
        enter = self._current.enter_context
        self._input = enter(s3.Writer(self._bucket, self._layout.judge_input(self.count)))
        self._index = enter(s3.Writer(self._bucket, self._layout.judge_rows(self.count)))
        self.count += 1
        self._rows = 0


def _job(run: Run, number: int, settings: PlanEvaluationSettings, region: str) -> dict[str, Any]:
    layout = RunLayout(run.run_id)
    bucket = settings.data_bucket
    name = training_job_name(settings.job_prefix, run.run_id, run.execution, number)
    recipe = recipe_to_nova_yaml(run.recipe, name).encode()
    s3.write(bucket, layout.judge_recipe(number), recipe, "application/yaml")
    request = training_job_request(
        run.recipe,
        job_name=name,
        region=region,
        role_arn=settings.job_role_arn,
        train_uri=f"s3://{bucket}/{layout.judge_input(number)}",
        recipe_uri=f"s3://{bucket}/{layout.judge_recipe(number)}",
        output_uri=f"s3://{bucket}/{layout.judge_output(number)}",
        tags=run_tags(settings.stage, run.run_id),
    )
    return {"number": number, "request": request}
