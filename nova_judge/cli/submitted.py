"""Runs that were submitted: followed to their ends, their reports fetched."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from nova_judge.aws import aws_clients, submissions
from nova_judge.aws.executions import Execution, follow
from nova_judge.aws.submissions import Deployed
from nova_judge.cli.result import print_result
from nova_judge.cli.terminal import Console
from nova_judge.errors import SubmitError
from nova_judge.findings.saved_report import open_report
from nova_judge.inputs.run_request import own_of, run_id
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import Trigger
from nova_judge.records import S3Object

LOOK_EVERY_S = 5.0
INTERRUPTED = 130


class Started(NamedTuple):
    """An execution under way; `item` is the input, None for runs that bring their own questions."""

    arn: str
    item: S3Object | None
    recipe: Recipe
    no_cache: bool = False
    trigger: Trigger | None = None

    def as_document(self, place: Deployed) -> dict[str, str]:
        """The run as programs want it."""
        return {
            "run_id": _run_of(self, place),
            "recipe": self.recipe.name,
            "input": self.item.uri if self.item else "",
            "execution": self.arn,
            "console": submissions.console_link(self.arn),
        }


def wait_for_all(console: Console, place: Deployed, started: Sequence[Started], out: Path) -> None:
    """Raise SubmitError for those that failed, once all have ended."""
    failures = []
    for one in started:
        try:
            _wait(console, place, one, out)
        except SubmitError as error:
            failures.append(str(error))
    if failures:
        raise SubmitError("\n".join(failures))


def _wait(console: Console, place: Deployed, started: Started, out: Path) -> None:
    try:
        with Console(stderr=True).status("starting", spinner="dots") as status:
            for look in follow(aws_clients.stepfunctions(), started.arn, LOOK_EVERY_S):
                status.update(f"{look.status.lower()}: {look.state}")
    except KeyboardInterrupt:
        console.print("The execution goes on; the console link shows it and can stop it.")
        raise typer.Exit(INTERRUPTED) from None
    run = _run_of(started, place)
    folder = _fetch(console, place, run, out)
    if look.status != "SUCCEEDED":
        raise SubmitError(_why(look, folder))
    if folder is None:
        raise SubmitError(
            f"run {run} has no report yet: another execution has it (its output names which). "
            f"Fetch it later with `nova-judge report s3://{place.bucket}/runs/{run}/`"
        )


def _run_of(started: Started, place: Deployed) -> str:
    """The run's id: the execution's own word, else what its input and recipe make it."""
    described = aws_clients.stepfunctions().describe_execution(executionArn=started.arn)
    own_word = json.loads(described.get("output") or "{}").get("run_id")
    if isinstance(own_word, str) and re.fullmatch(r"[a-z0-9-]+", own_word):
        return own_word
    item, recipe = started.item, started.recipe
    own = own_of(started.trigger, started.arn, no_cache=started.no_cache)
    if item is None:
        version = "" if started.trigger else started.arn
        return run_id(place.bucket, recipe.name, version, recipe.sha256, own=own)
    return run_id(item.bucket, item.key, item.version, recipe.sha256, own=own)


def _fetch(console: Console, place: Deployed, run: str, out: Path) -> Path | None:
    folder = out / run
    with Console(stderr=True).status("fetching the report"):
        report = submissions.download_report(place.bucket, run, folder)
    if report is None:
        return None
    console.print()
    print_result(console, open_report(folder), report / "report.html")
    return folder


def _why(look: Execution, folder: Path | None) -> str:
    reason = f"the execution ended as {look.status}"
    if look.error:
        reason += f": {look.error}: {look.cause or 'no cause was given'}"
    return reason + (f"\nThe report says why: {folder / 'report'}" if folder else "")
