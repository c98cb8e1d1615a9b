"""The common part of the kinds whose jobs run Nova's evaluation container."""

from collections.abc import Iterator

import msgspec
import ryaml
from msgspec import UNSET

from nova_judge.kinds.job import Deployment, JobRequest, PlannedJob, job_place
from nova_judge.layout import RunLayout
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import training_job_request
from nova_judge.runs.usage import InstanceTime, JudgeUsage


def task_problem(recipe: Recipe) -> Iterator[str]:
    """A task of the container that is another than the recipe's kind."""
    task = recipe.nova.evaluation.task
    if task != recipe.kind:
        yield (
            f"judge.nova.evaluation.task: found {task!r}; kind {recipe.kind} needs {recipe.kind}"
        )


def container_functions(recipe: Recipe) -> frozenset[str]:
    """The ARNs of the functions that the container calls in its role's name."""
    nova = recipe.nova
    named: list[object] = [recipe.judge.scorer]
    if nova.processor is not UNSET:
        named.append(nova.processor.lambda_arn)
    if nova.rl_env is not UNSET:
        named.append(nova.rl_env.reward_lambda_arn)
    return frozenset(name for name in named if isinstance(name, str) and ":lambda:" in name)


def container_usage(
    recipe: Recipe, *, jobs: int, rows: float, also: tuple[str, ...] = ()
) -> JudgeUsage:
    """So many jobs that together work on `rows`; `also` joins what the figures rest on."""
    supposed, judge = catalog.assumptions(), recipe.judge
    rate = supposed.judge_rows_per_second.value[recipe.nova.run.model_type]
    start = supposed.judge_start_minutes
    job = InstanceTime(
        judge.instance_types[0],
        start.value * 60 + rows / rate / jobs,
        judge.instance_count,
        recipe.nova.run.model_name_or_path,
    )
    rests_on = (
        f"a judge job starts in {start.value:g} min: {start.why}",
        f"the judge does {rate:g} rows/s: {supposed.judge_rows_per_second.why}",
    )
    return JudgeUsage(jobs=(job,) * jobs, rests_on=(*rests_on, *also))


def container_request(
    run: Run, recipe: Recipe, job: PlannedJob, deployment: Deployment
) -> JobRequest:
    """A training job, and the recipe that its container reads.

    Raises RecipeError where the region has no image of the container.
    """
    place, key = job_place(run, job, deployment), RunLayout(run.run_id).judge_recipe(job.number)
    body = training_job_request(
        recipe,
        job_name=place.name,
        region=deployment.region,
        role_arn=place.role_arn,
        train_uri=place.data_uri,
        recipe_uri=f"s3://{deployment.bucket}/{key}",
        output_uri=place.output_uri,
        tags=place.tags,
    )
    written = recipe_to_nova_yaml(recipe, place.name).encode()
    return JobRequest("CreateTrainingJob", body, ((key, written),))


def recipe_to_nova_yaml(recipe: Recipe, run_name: str) -> str:
    """The container's recipe as YAML; `run.name` is `run_name` where the recipe gives none."""
    nova = recipe.nova
    named = msgspec.structs.replace(nova.run, name=nova.run.name or run_name)
    block = msgspec.to_builtins(msgspec.structs.replace(nova, run=named))
    block["run"] = {"name": block["run"].pop("name"), **block["run"]}
    return ryaml.dumps(block)
