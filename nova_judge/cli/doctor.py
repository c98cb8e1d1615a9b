"""`nova-judge doctor`: is everything there that a run needs?"""

import dataclasses
import datetime
import os
from pathlib import Path
from typing import Annotated

import typer

from nova_judge.aws import account
from nova_judge.aws.place import current_region
from nova_judge.cli.arguments import AsJson, StageOption, TriggeredBy
from nova_judge.cli.command_input import source, triggered_recipe
from nova_judge.cli.estimate import read_file_head
from nova_judge.cli.terminal import Console, checks_table, print_json
from nova_judge.errors import RecipeError
from nova_judge.kinds.recipes import beside
from nova_judge.preflight import rules
from nova_judge.preflight.forecast import reach_check
from nova_judge.preflight.input_head import input_check
from nova_judge.recipe.own_models import own_names
from nova_judge.sources.openai_server import variable_of
from nova_judge.steps.served_models import asked_servers, served_models


def command(
    recipe: Annotated[
        str | None, typer.Option(help="Also check what this recipe needs: a name or a YAML file.")
    ] = None,
    input_file: Annotated[
        Path | None, typer.Option("--input", help="Also check a JSON Lines file.")
    ] = None,
    stage: StageOption = "dev",
    trigger: TriggeredBy = "",
    as_json: AsJson = False,
) -> None:
    """Check account, stacks, quotas, models and input before anything is paid.

    Exits with 3 when a check fails. A check that could not be run says why and fails nothing.

    Examples:

      nova-judge doctor

      nova-judge doctor --recipe rubric --input questions.jsonl --stage prod
    """
    read = triggered_recipe(recipe, trigger) if recipe else None
    console = Console()
    with console.status("asking AWS", spinner="dots"):
        region, served = current_region(), []
        if read is not None and region is not None:
            # With the instance types that fit its own models, and what was found of them.
            settled = served_models(read, read.names, region, None)
            read, served = settled.recipe, settled.checks
        facts = account.doctor_facts(stage, read)
        if read is not None:
            servers = asked_servers(read, read.names, _key)
            own = own_names(beside(str(recipe)))
            facts = dataclasses.replace(facts, servers=servers, own_models=own)
    checks = rules.account_checks(facts, read, datetime.datetime.now(datetime.UTC))
    checks += served
    if input_file is not None:
        with source(input_file, read, None, None) as lines:
            head = read_file_head(read, lines or input_file, input_file)
        checks.append(input_check(*head[:3], read))
        if read is not None:
            checks.append(reach_check(read, head))
    if as_json:
        print_json({"checks": [check._asdict() for check in checks]})
    else:
        console.print(checks_table("check", "found", checks))
    rules.require(checks)


def _key(url: str, secret: str) -> str:
    """The key of a server on this machine, where no secrets of an account are read."""
    variable = variable_of(secret)
    if not os.environ.get(variable):
        raise RecipeError(f"set {variable} to have {url} asked too")
    return os.environ[variable]
