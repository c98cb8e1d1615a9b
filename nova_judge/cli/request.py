"""`nova-judge request`: what a run would send to SageMaker, without touching AWS."""

from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console

from nova_judge.cli.arguments import AsJson
from nova_judge.cli.json_output import print_json
from nova_judge.inputs.dataset import AnswerSources
from nova_judge.kinds.known import kind_of
from nova_judge.kinds.recipes import read_recipe
from nova_judge.kinds.score_jobs import Account, job_files, plan_jobs
from nova_judge.layout import RunLayout
from nova_judge.recipe.recipe import Recipe, recipe_to_nova_yaml
from nova_judge.runs.run import Run, RunInput
from nova_judge.runs.training_job import training_job_name, training_job_request
from nova_judge.tags import run_tags

RUN_ID = "RUN-ID"
BUCKET = "DATA-BUCKET"
ACCOUNT = "111122223333"
JOB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/JUDGE-JOB-ROLE"
JOB_PREFIX = "nova-judge"


class ExampleJob(NamedTuple):
    """One job of a run: the API's call, the request, and the recipe that a container reads."""

    call: str
    request: dict[str, Any]
    recipe: str | None


def command(
    recipe: Annotated[str, typer.Option(help="A recipe's name, or the path of its YAML file.")],
    region: Annotated[
        str, typer.Option(help="The region that the job would run in.")
    ] = "us-east-1",
    as_json: AsJson = False,
) -> None:
    """Print the request of a run's first job and the YAML that its container would read.

    Nothing is sent: names in capitals stand for what a run fills in.

    Examples:

      nova-judge request --recipe rubric

      nova-judge request --recipe my.yaml --region us-west-2 --json | jq .request
    """
    read = read_recipe(recipe)
    jobs = example_jobs(read, region)
    first = jobs[0]
    if as_json:
        print_json({**first._asdict(), "jobs": len(jobs)})
        return
    console = Console()
    more = f", the first of {len(jobs)} jobs" if len(jobs) > 1 else ""
    console.print(f"[bold]{first.call}[/] in {region}, recipe [bold]{read.name}[/]{more}")
    console.print_json(data=first.request)
    if first.recipe is not None:
        console.print("\n[bold]recipe.yaml[/], as the container reads it")
        console.print(first.recipe, soft_wrap=True, markup=False)


def example_jobs(recipe: Recipe, region: str) -> list[ExampleJob]:
    """The jobs of a run over one row, with placeholders for what only a run knows.

    Raises RecipeError where the region has no evaluation image.
    """
    return (
        _scoring_jobs(recipe, region)
        if not kind_of(recipe.kind).compares
        else [_pairs(recipe, region)]
    )


def _pairs(recipe: Recipe, region: str) -> ExampleJob:
    layout = RunLayout(RUN_ID)
    name = training_job_name(JOB_PREFIX, RUN_ID, "", 0)
    request = training_job_request(
        recipe,
        job_name=name,
        region=region,
        role_arn=JOB_ROLE,
        train_uri=f"s3://{BUCKET}/{layout.judge_input(0)}",
        recipe_uri=f"s3://{BUCKET}/{layout.judge_recipe(0)}",
        output_uri=f"s3://{BUCKET}/{layout.judge_output(0)}",
        tags=run_tags("STAGE", RUN_ID),
    )
    return ExampleJob("CreateTrainingJob", request, recipe_to_nova_yaml(recipe, name))


def _scoring_jobs(recipe: Recipe, region: str) -> list[ExampleJob]:
    run = Run(
        run_id=RUN_ID,
        execution="",
        created="",
        input=RunInput(BUCKET, "inbox/FILE", "VERSION", 0),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=AnswerSources("file", "file"),
    )
    account = Account(BUCKET, region, ACCOUNT, JOB_PREFIX, JOB_ROLE, "STAGE")
    found = []
    for job in plan_jobs(run, 1):
        files = job_files(run, job, account)
        recipes = [content.decode() for key, content in files.files if key.endswith("recipe.yaml")]
        call = "CreateEvaluationJob" if job.api == "bedrock" else "CreateTrainingJob"
        found.append(ExampleJob(call, files.request, recipes[0] if recipes else None))
    return found
