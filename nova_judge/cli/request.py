"""`nova-judge request`: what a run would send to SageMaker, without touching AWS."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from nova_judge.judge_request import training_job_name, training_job_request
from nova_judge.recipe import Recipe, read_recipe, recipe_to_nova_yaml
from nova_judge.run_layout import RunLayout

RUN_ID = "RUN-ID"
BUCKET = "DATA-BUCKET"
JOB_ROLE = "arn:aws:iam::111122223333:role/JUDGE-JOB-ROLE"
JOB_PREFIX = "nova-judge"


def command(
    recipe: Annotated[str, typer.Option(help="A recipe's name, or the path of its YAML file.")],
    region: Annotated[
        str, typer.Option(help="The region that the job would run in.")
    ] = "us-east-1",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the CreateTrainingJob request of a recipe and the YAML that the container would read.

    Nothing is sent: names in capitals stand for what a run fills in.

    Examples:

      nova-judge request --recipe rubric

      nova-judge request --recipe my.yaml --region us-west-2 --json | jq .create_training_job
    """
    read = read_recipe(recipe)
    request = example_request(read, region)
    nova = recipe_to_nova_yaml(read, request["TrainingJobName"])
    if as_json:
        typer.echo(json.dumps({"create_training_job": request, "recipe": nova}, indent=2))
        return
    console = Console()
    console.print(f"[bold]CreateTrainingJob[/] in {region}, recipe [bold]{read.name}[/]")
    console.print_json(data=request)
    console.print("\n[bold]recipe.yaml[/], as the container reads it")
    console.print(nova, soft_wrap=True, markup=False)


def example_request(recipe: Recipe, region: str) -> dict[str, Any]:
    """The request of a run's first judge job, with placeholders for what only a run knows.

    Raises RecipeError where the region has no evaluation image or the kind runs no Nova job.
    """
    layout = RunLayout(RUN_ID)
    return training_job_request(
        recipe,
        job_name=training_job_name(JOB_PREFIX, RUN_ID, "", 0),
        region=region,
        role_arn=JOB_ROLE,
        train_uri=f"s3://{BUCKET}/{layout.judge_input(0)}",
        recipe_uri=f"s3://{BUCKET}/{layout.judge_recipe(0)}",
        output_uri=f"s3://{BUCKET}/{layout.judge_output(0)}",
        tags={"nova-judge:stage": "STAGE", "nova-judge:run": RUN_ID},
    )
