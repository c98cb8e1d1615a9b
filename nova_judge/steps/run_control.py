"""A run asked for again or removed, from outside its execution."""

import msgspec

from nova_judge.aws import executions, runs_table, s3, submissions
from nova_judge.errors import RunStateError
from nova_judge.findings.index_entry import FAILED, RUNNING, IndexEntry
from nova_judge.layout import ANSWERS, RunLayout
from nova_judge.runs.run import Run

_GOES_ON = ("ABORTED", "TIMED_OUT")
"""Ends that no Catch saw. Any other failure ended in a state that a redrive only enters again."""


def retry(
    machine: str, entry: IndexEntry, run: Run | None, *, fresh: bool = False
) -> tuple[str, bool]:
    """Let a failed run go on where it stopped, where that is possible, or start it again.

    The execution that has the run now, and whether it goes on where it stopped. A fresh start keeps
    the answers that are there. Raises RunStateError where the run did not fail, or where its file
    is another one by now.
    """
    if entry.status != FAILED:
        raise RunStateError(f"run {entry.run_id} is {entry.status}: only a failed run is retried")
    if executions.status_of(entry.execution) in _GOES_ON and not fresh:
        refused = executions.redrive(entry.execution)
        if refused is None:
            return entry.execution, True
    document = wish_of(entry, run)
    return submissions.start(machine, document), False


def wish_of(entry: IndexEntry, run: Run | None) -> dict[str, object]:
    """The input of an execution that asks for the same run again."""
    wish: dict[str, object] = {"recipe": entry.recipe}
    if entry.trigger is not None:  # a person asks now, not its event
        asked = msgspec.structs.replace(entry.trigger, event=None)
        wish["trigger"] = msgspec.to_builtins(asked)
    if not entry.recipe:
        raise RunStateError(
            f"run {entry.run_id} never said which recipe: `nova-judge submit` its file again"
        )
    if run is None:  # it was refused before it was a run
        return wish | ({"input": entry.input} if entry.input else {})
    if run.input.key:
        newest = s3.describe(run.input.bucket, run.input.key)
        if newest.version != run.input.version and not run.no_cache:
            raise RunStateError(
                f"{run.input.uri} was replaced since run {run.run_id} read it, and would be "
                "another run: `nova-judge submit` it"
            )
        wish["input"] = run.input.uri
    return wish | ({"no_cache": True} if run.no_cache else {})


def remove(bucket: str, table: str, entry: IndexEntry, *, answers: bool = False) -> int:
    """Delete a run that has ended: folder, headline, table item; the number of objects.

    `answers`: those that it asked for too, which other runs may read.
    """
    if entry.status == RUNNING:
        raise RunStateError(f"run {entry.run_id} is under way: `nova-judge runs cancel` it first")
    layout = RunLayout(entry.run_id)
    deleted = s3.delete_below(bucket, layout.prefix) + s3.delete_below(bucket, layout.index)
    if answers:
        for model in s3.folders(bucket, ANSWERS):
            deleted += s3.delete_below(bucket, f"{ANSWERS}{model}/{entry.run_id}/")
    runs_table.forget(table, entry.run_id)
    return deleted
