"""`nova-judge stop`: nothing of a stage costs money any more, so that its stacks may go."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated

import typer

from nova_judge.answers.leases import LONGEST_START_S
from nova_judge.aws import account, batch_jobs, evaluation_jobs, executions, judge_jobs
from nova_judge.aws.endpoint_lifecycle import sagemaker_endpoints
from nova_judge.aws.place import current_place, refusals_explained
from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import stage_console, stage_prefix
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import StopError
from nova_judge.runs.stopping import Running, RunningJob, Service, Stage, stop_all

QUIET_S = 60.0
"""The time limit of PrepareEndpoints, which may be at work when its execution is stopped."""
PATIENCE_S = LONGEST_START_S
"""SageMaker does not delete an endpoint that is still being created."""
EXECUTION = "execution"


def command(
    stage: StageOption = "dev",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop everything of a stage that costs money while it runs.

    These are its executions, then its endpoints and its training, batch and evaluation jobs,
    whoever started or leases them. It waits until nothing is left, and ends with 3 where something
    is. `make destroy` begins with it: what the stacks did not make, they do not delete. Endpoints
    that the stack itself keeps (`always_on`) go with the stack.

    Examples:

      nova-judge stop

      nova-judge stop --stage prod --yes
    """
    console = stage_console(stage, stderr=as_json)
    with refusals_explained(stage):
        outputs = account.stack_outputs(stage)
        services = services_of(stage, outputs)
        running = services.running()
        if not (running or outputs):
            raise StopError(
                f"stage {stage} is not deployed in {current_place()}, and nothing of it runs "
                "there. Say where it is with AWS_REGION and AWS_PROFILE, or another stage "
                "with --stage"
            )
        if running:
            stop_confirmed(console, services, running, yes=yes)
        else:
            console.print("Nothing is under way.")
    if as_json:
        print_json({"stage": stage, "stopped": [(what.kind, what.name) for what in running]})


def stop_confirmed(
    console: Console, services: Stage, running: Sequence[Running], *, yes: bool
) -> None:
    """Show what is under way, ask unless `yes`, and stop it. Raises StopError for what is left."""
    rows = ((what.kind, what.name) for what in running)
    console.print(table(("to be stopped", "name"), rows, box=None))
    if not yes:
        typer.confirm("Stop all of this?", abort=True)
    quiet = QUIET_S if any(what.kind == EXECUTION for what in running) else 0.0
    with console.status("stopping; an endpoint takes some minutes", spinner="dots"):
        left = stop_all(services, quiet_s=quiet, patience_s=PATIENCE_S)
    if left:
        names = ", ".join(f"{what.kind} {what.name}" for what in left)
        raise StopError(f"still under way and paid: {names}. Look at them in the console")
    console.print("Nothing is under way any more.")


def services_of_run(stage: str, run_id: str, execution: str) -> Stage:
    """One run's execution and its jobs; what it leases is given up as soon as it is stopped."""

    def running_execution() -> Iterable[tuple[str, str]]:
        under_way = executions.is_running(execution)
        return [(execution.rsplit(":", 1)[-1], execution)] if under_way else []

    stop_execution = functools.partial(executions.stop, cause="nova-judge runs cancel")
    return Stage(
        Service(EXECUTION, running_execution, stop_execution),
        tuple(_services_of_jobs(f"{stage_prefix(stage)}-{run_id}-")),
    )


def services_of(stage: str, outputs: Mapping[str, Mapping[str, str]]) -> Stage:
    """Everything of a stage that is paid for while it runs."""
    machine = outputs.get("Evaluation", {}).get("StateMachineArn")
    prefix = f"{stage_prefix(stage)}-"
    kept = account.stack_endpoints(stage)

    def running_executions() -> Iterable[tuple[str, str]]:
        arns = executions.running(machine) if machine else ()
        return ((arn.rsplit(":", 1)[-1], arn) for arn in arns)

    def endpoints() -> Iterable[tuple[str, str]]:
        return ((name, name) for name in sagemaker_endpoints().names(prefix) if name not in kept)

    stop_execution = functools.partial(executions.stop, cause="nova-judge stop")
    return Stage(
        Service(EXECUTION, running_executions, stop_execution),
        (
            Service("endpoint", endpoints, sagemaker_endpoints().delete),
            *_services_of_jobs(prefix),
        ),
    )


def _services_of_jobs(prefix: str) -> Iterable[Service]:
    for kind, jobs in (
        ("training job", judge_jobs),
        ("batch inference job", batch_jobs),
        ("evaluation job", evaluation_jobs),
    ):
        yield Service(kind, functools.partial(_jobs, jobs.running, prefix), jobs.stop)


def _jobs(running: Callable[[str], Iterable[RunningJob]], prefix: str) -> Iterable[tuple[str, str]]:
    return ((job.name, job.handle) for job in running(prefix))
