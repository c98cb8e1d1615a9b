"""`nova-judge endpoints up|down|status`: the candidates' endpoints by hand."""

import functools
import getpass
import time
from typing import Annotated

import typer

from nova_judge.answers.leases import PERSON, EndpointStatus, Hosted
from nova_judge.aws import account
from nova_judge.aws.endpoint_lifecycle import sagemaker_endpoints
from nova_judge.aws.lease_table import lease_table
from nova_judge.aws.place import refusals_explained
from nova_judge.aws.submissions import call
from nova_judge.check import NotRead
from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import stage_console, stage_prefix
from nova_judge.cli.terminal import print_json, table
from nova_judge.errors import EndpointError
from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import endpoint_name
from nova_judge.recipe.shape import did_you_mean

LOOK_AGAIN_S = 5.0
CONFIG_GONE = "unknown: its configuration is gone, a deployment replaced it"
DEFAULT_HOURS = 4.0

app = typer.Typer(no_args_is_help=True)
ModelNames = Annotated[list[str], typer.Argument(help="Models, as recipes name them.")]


@app.command("up")
def up(
    models: ModelNames,
    hours: Annotated[
        float, typer.Option(min=0.1, max=72, help="Hours until the lease ends by itself.")
    ] = DEFAULT_HOURS,
    stage: StageOption = "dev",
    as_json: AsJson = False,
) -> None:
    """Start endpoints and keep them for some hours, also between runs.

    A second `up` renews the lease. When it ends, the watchdog deletes what no run needs.

    Examples:

      nova-judge endpoints up qwen2.5-1.5b-instruct

      nova-judge endpoints up qwen2.5-1.5b-instruct qwen2.5-7b-instruct --hours 8
    """
    _check(models)
    console = stage_console(stage, stderr=as_json)
    with refusals_explained(stage):
        prepare = _outputs(stage)["PrepareEndpointsFunction"]
        asked = {"run_id": _owner(), "endpoints": models, "seconds": hours * 3600}
        with console.status("starting; a GPU endpoint takes some minutes", spinner="dots"):
            try:
                while not call(prepare, asked)["ready"]:
                    time.sleep(LOOK_AGAIN_S)
            except EndpointError:
                _release(stage, models, _owner())
                raise
    console.print(f"in service for {hours:g} h: {', '.join(models)}")
    console.print(f"stop paying earlier: nova-judge endpoints down {' '.join(models)}")
    if as_json:
        print_json({"in_service": models, "hours": hours})


@app.command("down")
def down(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models, as recipes name them; without any, all.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="End the leases of runs and other people too.")
    ] = False,
    stage: StageOption = "dev",
    as_json: AsJson = False,
) -> None:
    """Give your leases up, and delete the endpoints that nobody else leases.

    Examples:

      nova-judge endpoints down

      nova-judge endpoints down qwen2.5-7b-instruct --force
    """
    chosen = models or sorted(catalog.models().endpoints)
    _check(chosen)
    console = stage_console(stage, stderr=as_json)
    given_up: dict[str, str] = {}
    with refusals_explained(stage):
        for model in chosen:
            given_up[model] = _given_up(stage, model, force=force)
            console.print(f"{model}: {given_up[model]}")
    if as_json:
        print_json(given_up)


def _given_up(stage: str, model: str, *, force: bool) -> str:
    hosted = _hosted(stage, model)
    owners = [lease.owner for lease in hosted.leases] if hosted and force else [_owner()]
    deleted = [owner for owner in owners if _release(stage, [model], owner)]
    left = [lease.owner for lease in (_hosted(stage, model) or Hosted()).leases]
    if deleted:
        return "being deleted"
    if left:
        return f"stays, leased by {', '.join(left)}; --force ends their leases"
    return "nobody leases it"


@app.command("status")
def status(stage: StageOption = "dev", as_json: AsJson = False) -> None:
    """Show which endpoints are up, their cost per hour, and who leases them.

    Examples:

      nova-judge endpoints status --stage prod
    """
    console = stage_console(stage, stderr=as_json)
    with refusals_explained(stage):
        _outputs(stage)
        states = {model: _state(stage, model) for model in sorted(catalog.models().endpoints)}
    if as_json:
        names = ("endpoint", "instance", "usd_an_hour", "leased_by")
        print_json({m: dict(zip(names, state, strict=True)) for m, state in states.items()})
        return
    columns = ("model", "endpoint", "instance", "USD an hour", "leased by")
    console.print(table(columns, ((m, *state) for m, state in states.items()), box=None))


def _state(stage: str, model: str) -> tuple[str, str, str, str]:
    """An endpoint's status, its instance type, the price of an hour and who leases it."""
    name = endpoint_name(stage_prefix(stage), model)
    status = sagemaker_endpoints().observe(name).status
    instance = None
    if status is not EndpointStatus.ABSENT:
        instance = sagemaker_endpoints().instance_type(name) or CONFIG_GONE
    price = catalog.prices().instance_hour.prices.get(instance or "")
    leases = (_hosted(stage, model) or Hosted()).leases
    holders = ", ".join(f"{lease.owner} until {_clock(lease.until)}" for lease in leases)
    return status.value, instance or "", f"{price:.2f}" if price else "", holders or "nobody"


@functools.cache
def _outputs(stage: str) -> dict[str, str]:
    outputs = account.read(functools.partial(account.stack_outputs, stage))
    if isinstance(outputs, NotRead):
        raise EndpointError(f"AWS cannot be asked ({outputs.reason}): see `nova-judge doctor`")
    deployed = {**outputs.get("Storage", {}), **outputs.get("Evaluation", {})}
    if "PrepareEndpointsFunction" not in deployed or "RunsTableName" not in deployed:
        raise EndpointError(
            f"stage {stage} is not deployed in this account and region: run `make deploy "
            f"STAGE={stage}`, or name another one with --stage"
        )
    return deployed


def _check(models: list[str]) -> None:
    offered = sorted(catalog.models().endpoints)
    for model in models:
        if model not in offered:
            near = did_you_mean(model, offered)
            raise EndpointError(
                f"model {model!r} is not known; there are {', '.join(offered)}{near}"
            )


def _release(stage: str, models: list[str], owner: str) -> bool:
    function = _outputs(stage)["ReleaseEndpointsFunction"]
    return bool(call(function, {"run_id": owner, "endpoints": models})["deleted"])


def _hosted(stage: str, model: str) -> Hosted | None:
    book = lease_table(_outputs(stage)["RunsTableName"])
    return book.read(endpoint_name(stage_prefix(stage), model))


def _owner() -> str:
    return f"{PERSON}{getpass.getuser()}"


def _clock(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))
