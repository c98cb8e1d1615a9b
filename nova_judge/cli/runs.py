"""`nova-judge runs …`: the runs of a stage, seen, watched, stopped, asked for again, removed."""

import datetime
import time
import webbrowser
from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.aws import run_logs, s3, submissions
from nova_judge.aws.place import refusals_explained
from nova_judge.cli import runs_shown, stop
from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import find_run, look_at, runs_of, stage_console
from nova_judge.cli.terminal import Console, print_json, say
from nova_judge.errors import RunStateError
from nova_judge.findings.index_entry import FAILED, RUNNING, IndexEntry
from nova_judge.layout import RunLayout
from nova_judge.steps import run_control, run_folder
from nova_judge.text import count_of

LOOK_EVERY_S = 5.0
_LOGS_BEFORE_S, _LOGS_AFTER_S = 120, 900

app = typer.Typer(no_args_is_help=True)
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its first characters.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_runs(
    stage: StageOption = "dev",
    status: Annotated[
        str | None, typer.Option(help="Only RUNNING, REPORTED or FAILED ones.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Only those of this recipe.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the runs of a stage, the newest first.

    Examples:

      nova-judge runs list --stage prod --status FAILED

      nova-judge runs list --json | jq '.runs[] | select(.verdict == "B better")'
    """
    entries = runs_of(stage)
    chosen = [
        entry
        for entry in entries
        if (status or entry.status).upper() == entry.status
        and (recipe or entry.recipe) == entry.recipe
    ][:limit]
    if as_json:
        print_json({"stage": stage, "runs": chosen})
    else:
        runs_shown.print_list(Console(), stage, chosen, of=len(entries))


@app.command("show")
def show(run: RunName, stage: StageOption = "dev", as_json: AsJson = False) -> None:
    """Show one run: where it is and what it has cost so far, or its result, or why it failed.

    Examples:

      nova-judge runs show questions-3f9c2a71d0e4 --stage prod
    """
    with refusals_explained(stage):
        shown = look_at(stage, *find_run(stage, run))
    if as_json:
        print_json(shown.as_document())
    else:
        runs_shown.print_run(Console(), shown)


@app.command("watch")
def watch(
    run: RunName,
    stage: StageOption = "dev",
    every: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds from one look to the next.")
    ] = LOOK_EVERY_S,
    as_json: AsJson = False,
) -> None:
    """Follow a run to its end. Exits with 0 for a report, with 3 for a failure.

    With --json one object per look, on a line of its own.

    Examples:

      nova-judge runs watch questions-3f9c2a71d0e4
    """
    console = Console()
    with (
        refusals_explained(stage),
        Console(stderr=True).status("looking", spinner="dots") as status,
    ):
        found = find_run(stage, run)
        while (shown := look_at(stage, *found)).entry.status == RUNNING:
            if as_json:
                say(runs_shown.one_json_line(shown))
            status.update(escape(runs_shown.where(shown)))
            time.sleep(every)
            found = find_run(stage, shown.entry.run_id)
    if as_json:
        say(runs_shown.one_json_line(shown))
    else:
        runs_shown.print_run(console, shown)
    if shown.entry.status == FAILED:
        raise typer.Exit(3)


@app.command("cancel")
def cancel(
    run: RunName, stage: StageOption = "dev", yes: Yes = False, as_json: AsJson = False
) -> None:
    """Stop one run and what it pays for; `nova-judge stop` stops a whole stage.

    Answers that are there are kept: `runs retry` goes on from them.

    Examples:

      nova-judge runs cancel questions-3f9c2a71d0e4
    """
    console = stage_console(stage, stderr=as_json)
    with refusals_explained(stage):
        _, entry = find_run(stage, run)
        services = stop.services_of_run(stage, entry.run_id, entry.execution)
        running = services.running()
        if running:
            stop.stop_confirmed(console, services, running, yes=yes)
        else:
            console.print(f"Nothing of {entry.run_id} is under way: it is {entry.status}.")
    if as_json:
        stopped = [(what.kind, what.name) for what in running]
        print_json({"run_id": entry.run_id, "stopped": stopped})


@app.command("retry")
def retry(
    run: RunName,
    stage: StageOption = "dev",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again, even where it could go on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a failed run go on where it stopped (a redrive), or start it again.

    What was stopped or timed out goes on; any other failure starts again. Answers that are there
    are kept in both cases.

    Examples:

      nova-judge runs retry questions-3f9c2a71d0e4
    """
    with refusals_explained(stage):
        place, entry = find_run(stage, run)
        record = run_folder.read_run(place.bucket, entry.run_id)
        execution, redriven = run_control.retry(place.machine, entry, record, fresh=fresh)
    if as_json:
        print_json({"execution": execution, "redriven": redriven})
        return
    how = "goes on where it stopped" if redriven else "was started again"
    console = Console()
    console.print(f"{entry.run_id} {how}.")
    console.print(f"Execution: {execution}", soft_wrap=True)
    link = submissions.console_link(execution)
    console.print(f"Console:   {link}", soft_wrap=True)


@app.command("logs")
def logs(
    run: RunName,
    stage: StageOption = "dev",
    hours: Annotated[
        float | None, typer.Option(min=0.1, max=87_600, help="Only the last hours, this many.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what functions, state machine and judge jobs wrote of a run, in the order of time.

    Examples:

      nova-judge runs logs questions-3f9c2a71d0e4 --hours 2
    """
    with refusals_explained(stage):
        shown = look_at(stage, *find_run(stage, run))
        entry = shown.entry
        since, until = _span(entry, hours)
        jobs = [job.name for job in shown.progress.jobs] if shown.progress else []
        lines = run_logs.lines_of_run(stage, entry.run_id, entry.execution, jobs, since, until)
    if as_json:
        print_json({"run_id": entry.run_id, "lines": [line._asdict() for line in lines]})
        return
    for line in lines:
        say(f"{_clock(line.at)} {line.source}: {line.text}")
    if not lines:
        say(f"No log line names {entry.run_id} since {_clock(since)}: logs expire with the stage's "
            "log_retention_days.")  # fmt: skip


@app.command("open")
def open_page(
    run: RunName,
    stage: StageOption = "dev",
    hours: Annotated[
        float, typer.Option(min=0.1, max=168, help="Hours that the link works.")
    ] = 1.0,
    browser: Annotated[
        bool, typer.Option("--browser/--link", help="Open it, or only print the link.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Open a run's page by a temporary link, without downloading the run.

    Whoever has the link can read the page. It ends earlier where the credentials do.

    Examples:

      nova-judge runs open questions-3f9c2a71d0e4

      nova-judge runs open questions-3f9c2a71d0e4 --link --hours 12
    """
    with refusals_explained(stage):
        place, entry = find_run(stage, run)
        if not entry.report:
            raise RunStateError(f"run {entry.run_id} is {entry.status}: it has no page yet")
        key = entry.report.removeprefix(f"s3://{place.bucket}/")
        link = s3.presigned(place.bucket, key, hours)
    if as_json:
        print_json({"run_id": entry.run_id, "url": link, "hours": hours})
    else:
        say(link)
    if browser and not as_json:
        webbrowser.open(link)


@app.command("rm")
def remove(
    run: RunName,
    stage: StageOption = "dev",
    answers: Annotated[
        bool, typer.Option("--answers", help="The answers that it asked for too.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete a run that has ended: its folder, its place in the index and in the runs table.

    The bucket keeps deleted versions for 30 days. Answers stay: other runs may read them.

    Examples:

      nova-judge runs rm questions-3f9c2a71d0e4
    """
    with refusals_explained(stage):
        place, entry = find_run(stage, run)
        if not yes:
            typer.confirm(f"Delete {RunLayout(entry.run_id).prefix} of {place.bucket}?", abort=True)
        deleted = run_control.remove(place.bucket, place.table, entry, answers=answers)
    Console(stderr=as_json).print(f"{entry.run_id}: {count_of(deleted, 'object')} deleted.")
    if as_json:
        print_json({"run_id": entry.run_id, "deleted": deleted})


def _span(entry: IndexEntry, hours: float | None) -> tuple[int, int]:
    """The time to look for log lines in, in epoch milliseconds."""
    now = time.time()
    since = _epoch(entry.created) - _LOGS_BEFORE_S if entry.created else now - 86_400
    until = _epoch(entry.ended) + _LOGS_AFTER_S if entry.ended else now
    if hours is not None:
        since = max(since, now - 3600 * hours)
    return round(1000 * since), round(1000 * max(until, since))


def _epoch(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def _clock(milliseconds: int) -> str:
    at = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
