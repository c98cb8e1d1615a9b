"""The stage that a command works in, and its runs, found by id and looked at."""

from rich.markup import escape

from nova_judge.aws import aws_clients, executions, submissions
from nova_judge.aws.executions import entered_last
from nova_judge.aws.place import current_place, refusals_explained
from nova_judge.aws.submissions import Deployed
from nova_judge.cli.runs_shown import RunShown
from nova_judge.cli.terminal import Console
from nova_judge.errors import RunStateError
from nova_judge.findings.index_entry import REPORTED, RUNNING, IndexEntry
from nova_judge.recipe.shape import did_you_mean
from nova_judge.steps import run_folder
from nova_judge.steps.run_index import read_entry, read_index
from nova_judge.steps.run_progress import progress_of
from nova_judge.text import count_of


def stage_prefix(stage: str) -> str:
    """Begins the names of everything of a stage."""
    return f"nova-judge-{stage}"


def stage_console(stage: str, *, stderr: bool) -> Console:
    """A console that has said which stage, in which account, a command works in.

    Raises AccessError without credentials.
    """
    console = Console(stderr=stderr)
    console.print(f"Stage {escape(stage)} in {current_place()}.")
    return console


def runs_of(stage: str) -> list[IndexEntry]:
    """The headlines of a stage's runs. Raises AccessError where AWS refuses to show them."""
    with refusals_explained(stage):
        place = submissions.deployed(stage)
        return read_index(place.bucket, place.table)


def find_run(stage: str, name: str) -> tuple[Deployed, IndexEntry]:
    """A run by its id, or by the only id that begins so, after the stage's resources.

    Raises RunStateError.
    """
    place = submissions.deployed(stage)
    entry = read_entry(place.bucket, place.table, name)
    if entry is not None:
        return place, entry
    entries = read_index(place.bucket, place.table)
    alike = [entry for entry in entries if entry.run_id.startswith(name)]
    if len(alike) == 1:
        return place, alike[0]
    if alike:
        names = ", ".join(entry.run_id for entry in alike[:5])
        raise RunStateError(
            f"{count_of(len(alike), 'run begins', 'runs begin')} with {name!r}: {names}"
        )
    near = did_you_mean(name, (entry.run_id for entry in entries))
    raise RunStateError(
        f"stage {stage} has no run {name!r}: `nova-judge runs list --stage {stage}` lists them"
        f"{near}"
    )


def look_at(stage: str, place: Deployed, entry: IndexEntry) -> RunShown:
    """The run with its progress, unless it has its report, and the state that it is in."""
    record = run_folder.read_run(place.bucket, entry.run_id)
    progress = state = None
    if record is not None and entry.status != REPORTED:
        progress = progress_of(place.bucket, stage_prefix(stage), record)
    if entry.status == RUNNING and executions.is_running(entry.execution):
        state = entered_last(aws_clients.stepfunctions(), entry.execution)
    return RunShown(stage, entry, progress, state)
