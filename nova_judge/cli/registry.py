"""`nova-judge datasets` and `nova-judge scorers`: put both into SageMaker's AI registry."""

from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.aws.ai_registry import Registered, register_dataset, register_scorer
from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json

datasets = typer.Typer(no_args_is_help=True)
scorers = typer.Typer(no_args_is_help=True)

RoleOption = Annotated[
    str | None, typer.Option(help="The role to use; by default the SDK finds one.")
]
WaitOption = Annotated[bool, typer.Option(help="Wait until the registry has it available.")]


@datasets.command("register")
def register_dataset_command(
    name: Annotated[str, typer.Argument(help="The name in the registry.")],
    source: Annotated[str, typer.Argument(metavar="FILE", help="A JSON Lines file, or s3://…")],
    role: RoleOption = None,
    wait: WaitOption = True,
    as_json: AsJson = False,
) -> None:
    """Register a data set; a serverless recipe names it as judge.serverless.dataset.

    Needs AWS's SDK: pip install 'nova-judge[registry]'

    Examples:

      nova-judge datasets register my-questions examples/own-data.jsonl
    """
    registered = register_dataset(name, source, role=role, wait=wait)
    _show(registered, "judge.serverless.dataset", as_json=as_json)


@scorers.command("register")
def register_scorer_command(
    name: Annotated[str, typer.Argument(help="The name in the registry.")],
    source: Annotated[
        str,
        typer.Argument(help="The ARN of a Lambda function, or a file with a lambda_handler."),
    ],
    role: RoleOption = None,
    wait: WaitOption = True,
    as_json: AsJson = False,
) -> None:
    """Register a scorer; a serverless recipe names it as judge.scorer.

    A file of scorers/ is deployed with the stacks: register the ARN of its function, which the
    stack calls SageMaker-<prefix>-<name>.

    Examples:

      nova-judge scorers register numbers arn:aws:lambda:…:SageMaker-nova-judge-dev-numeric_answer
    """
    registered = register_scorer(name, source, role=role, wait=wait)
    _show(registered, "judge.scorer", as_json=as_json)


def _show(registered: Registered, key: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**registered._asdict(), "key": key})
        return
    console = Console(soft_wrap=True)
    _, _, _, region, account, *_ = (registered.arn + ":::::").split(":")
    where = f", in account {account}, region {region}" if account else ""
    console.print(
        f"Registered {escape(registered.name)}, version {escape(registered.version)}{where}."
    )
    console.print(f"Name it in a recipe as {key}: {escape(registered.arn)}")
