"""Runs of a stage on the terminal and as JSON."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from rich.markup import escape

from nova_judge.cli.terminal import Console, bare_table
from nova_judge.findings.index_entry import FAILED, REPORTED, IndexEntry
from nova_judge.runs.execution_error import next_command
from nova_judge.steps.run_progress import RunProgress
from nova_judge.text import count_of, one_line

_COLOURS = {REPORTED: "green", FAILED: "red"}


class RunShown(NamedTuple):
    """A run and what a look at it showed; `state` is the state that its execution is in."""

    stage: str
    entry: IndexEntry
    progress: RunProgress | None = None
    state: str | None = None

    @property
    def next_command(self) -> str | None:
        """The command to type next, where the run failed."""
        entry = self.entry
        if entry.status != FAILED:
            return None
        return next_command(entry.error, run=entry.run_id, recipe=entry.recipe, stage=self.stage)

    def as_document(self) -> dict[str, Any]:
        """The same as a JSON document."""
        document: dict[str, Any] = msgspec.to_builtins(self.entry)
        if self.progress is not None:
            jobs = [
                {"name": job.name, "status": job.status, "hours": job.hours}
                for job in self.progress.jobs
            ]
            document["progress"] = {**self.progress._asdict(), "jobs": jobs}
        extra = {"state": self.state, "next_command": self.next_command}
        return document | {name: value for name, value in extra.items() if value is not None}


def one_json_line(shown: RunShown) -> str:
    """A look at a run on one line."""
    return msgspec.json.encode(shown.as_document()).decode()


def where(shown: RunShown) -> str:
    """The place of a run under way, in one line."""
    words = [shown.entry.status.lower()]
    words += [f"in {shown.state}"] if shown.state else []
    progress = shown.progress
    if progress is None:
        return ", ".join(words)
    rows = progress.rows
    words += [f"{_part(done, rows)} answered by {c}" for c, done in progress.answered.items()]
    if progress.judged or progress.jobs:
        words.append(f"{_part(progress.judged, rows)} judged")
    if progress.usd is not None:
        words.append(f"${progress.usd:,.2f} so far")
    return ", ".join(words)


def _part(done: int, rows: int | None) -> str:
    return count_of(done, "row") if rows is None else f"{done:,} of {count_of(rows, 'row')}"


def print_list(console: Console, stage: str, entries: Sequence[IndexEntry], *, of: int) -> None:
    """Two lines per run: what it is, and below it who took part and what came of it."""
    run_width = max((len(entry.run_id) for entry in entries), default=0)
    for entry in entries:
        console.print(_first_line(entry, run_width), soft_wrap=True)
        names = " / ".join(entry.candidates.values())
        parts = [*([one_line(names, 40)] if names else []), one_line(_result(entry), 100)]
        console.print(f"    {escape(': '.join(parts))}", soft_wrap=True)
    console.print(f"[dim]{len(entries)} of {count_of(of, 'run')} in stage {escape(stage)}[/]")


def _first_line(entry: IndexEntry, run_width: int) -> str:
    colour = _COLOURS.get(entry.status, "yellow")
    rows = entry.judged if entry.judged is not None else entry.rows
    words = [
        f"{entry.created[:16].replace('T', ' ')}  {escape(entry.run_id.ljust(run_width))}",
        f"[{colour}]{entry.status.ljust(len(REPORTED))}[/]",
        escape(one_line(entry.recipe, 24)),
    ]
    words += [count_of(rows, "row")] if rows is not None else []
    return "  ".join([*words, *_cost(entry)])


def _cost(entry: IndexEntry) -> list[str]:
    if entry.actual_usd is not None:
        return [f"${entry.actual_usd:,.2f}"]
    return [f"~${entry.estimate_usd:,.2f}"] if entry.estimate_usd is not None else []


def _result(entry: IndexEntry) -> str:
    if entry.status == FAILED:
        return f"{entry.error}: {entry.cause}"
    stood_in = "(a stand-in judged) " if entry.stand_in else ""
    return f"{stood_in}{entry.headline}" if entry.status == REPORTED else "under way"


def print_run(console: Console, shown: RunShown) -> None:
    """One run, from what was asked to what came of it."""
    entry = shown.entry
    console.print(f"[bold]{escape(entry.run_id)}[/]: {escape(where(shown))}", soft_wrap=True)
    asked = {
        "input": entry.input,
        "recipe": entry.recipe,
        "judge": entry.judge + (f" (stand-in: {entry.stand_in})" if entry.stand_in else ""),
        **{f"candidate {side}": name for side, name in entry.candidates.items()},
        "created": entry.created,
        "ended": entry.ended or "",
        "estimate": f"${entry.estimate_usd:,.2f}" if entry.estimate_usd is not None else "",
        "actual cost": f"${entry.actual_usd:,.2f}" if entry.actual_usd is not None else "",
        "execution": entry.execution,
        "report": entry.report,
    }
    rows = [(name, one_line(value, 300)) for name, value in asked.items() if value]
    for job in shown.progress.jobs if shown.progress else ():
        rows.append(("judge job", f"{job.name}: {job.status}, {job.hours:.2f} h"))
    console.print(bare_table((), rows))
    if entry.headline:
        console.print(f"[bold]{escape(entry.headline)}[/]")
    if entry.status == FAILED:
        console.print(f"[red]{escape(entry.error)}[/]: {escape(entry.cause)}")
        console.print(f"Next: {escape(shown.next_command or '')}", soft_wrap=True)
