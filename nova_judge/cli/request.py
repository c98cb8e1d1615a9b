"""`nova-judge request`: what a run would send to SageMaker, without touching AWS."""

from typing import Annotated

import typer

from nova_judge.cli.arguments import AsJson, RecipeOption, TriggeredBy
from nova_judge.cli.command_input import triggered_recipe
from nova_judge.cli.terminal import Console, print_json
from nova_judge.inputs.reading import FROM_FILE
from nova_judge.kinds.job import Deployment, JobRequest
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.partitions import partition_of
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import S3Object
from nova_judge.runs.run import Run
from nova_judge.text import count_of

RUN_ID = "RUN-ID"
BUCKET = "DATA-BUCKET"
ACCOUNT = "111122223333"
JOB_PREFIX = "nova-judge"


def command(
    recipe: RecipeOption,
    region: Annotated[
        str, typer.Option(help="The region that the job would run in.")
    ] = "us-east-1",
    trigger: TriggeredBy = "",
    as_json: AsJson = False,
) -> None:
    """Print the request of a run's first job and the YAML that its container would read.

    Nothing is sent: names in capitals stand for what a run fills in.

    Examples:

      nova-judge request --recipe rubric

      nova-judge request --recipe my.yaml --region us-west-2 --json | jq .request
    """
    read = triggered_recipe(recipe, trigger)
    jobs = example_jobs(read, region)
    first = jobs[0]
    recipes = [content.decode() for key, content in first.files if key.endswith("recipe.yaml")]
    text = recipes[0] if recipes else None
    if as_json:
        asked = {"call": first.call, "request": first.body, "recipe": text}
        print_json(asked | {"jobs": len(jobs)})
        return
    console = Console()
    more = f", the first of {count_of(len(jobs), 'job')}" if len(jobs) > 1 else ""
    console.print(f"[bold]{first.call}[/] in {region}, recipe [bold]{read.name}[/]{more}")
    console.print_json(data=first.body)
    if text is not None:
        console.print("\n[bold]recipe.yaml[/], as the container reads it")
        console.print(text, soft_wrap=True, markup=False)


def example_jobs(recipe: Recipe, region: str) -> list[JobRequest]:
    """The jobs of a run over one row, with placeholders for what only a run knows.

    Raises RecipeError where the region has no evaluation image.
    """
    run = Run(
        run_id=RUN_ID,
        execution="",
        created="",
        input=S3Object(BUCKET, "inbox/FILE", "VERSION", 0),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=FROM_FILE,
    )
    kind = kind_of(recipe.kind)
    role = f"arn:{partition_of(region).name}:iam::{ACCOUNT}:role/JUDGE-JOB-ROLE"
    deployment = Deployment(BUCKET, region, ACCOUNT, JOB_PREFIX, role, "STAGE")
    return [kind.request(run, job, deployment) for job in kind.jobs(run, 1)]
