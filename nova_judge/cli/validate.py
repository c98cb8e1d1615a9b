"""`nova-judge validate`: read an input file as a run would, without AWS."""

import functools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from nova_judge import dataset
from nova_judge.errors import InputFileError
from nova_judge.records import InputRow, Rejected
from nova_judge.shards import Shard

MOST_SHOWN = 20


def command(
    file: Annotated[Path, typer.Argument(help="A JSON Lines file: prompts, or ready pairs.")],
    out: Annotated[
        Path | None, typer.Option(help="Write every rejected line here, as JSON Lines.")
    ] = None,
) -> None:
    """Read a file as a run would: how many rows can be used, and why others cannot.

    Exit code 0 when every line can be used, 1 when some cannot, 3 when none can.

    [bold]Examples[/]

      nova-judge validate questions.jsonl

      nova-judge validate pairs.jsonl --out rejected.jsonl
    """
    if not file.is_file():
        raise InputFileError(f"{file} is no file: give the path of a JSON Lines file")
    head = dataset.usable_head(functools.partial(_first_bytes, file))
    dataset.check_format(head, str(file))
    brings_answers = dataset.file_brings_answers(head)
    sources = dataset.FROM_FILE if brings_answers else dataset.GENERATED
    usable, rejected = read_lines(file, sources)
    show(file, brings_answers, usable, rejected)
    if out is not None:
        out.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in rejected))
    if not usable:
        raise InputFileError(f"{file}: no line can be used")
    raise typer.Exit(1 if rejected else 0)


def _first_bytes(file: Path, size: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(size)


def read_lines(file: Path, sources: dataset.AnswerSources) -> tuple[int, list[Rejected]]:
    """How many lines hold a row, and those that cannot be used; shows how far it is."""
    size = file.stat().st_size
    usable, rejected = 0, []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=size)
        chunks = _chunks(file, progress, task)
        for line in dataset.shard_lines(chunks, Shard(index=0, start=0, end=size)):
            found = dataset.parse_line(line, sources)
            if isinstance(found, InputRow):
                usable += 1
            elif found is not None:
                rejected.append(found)
    return usable, rejected


def _chunks(file: Path, progress: Progress, task: TaskID) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            yield chunk
            progress.advance(task, len(chunk))


def show(file: Path, brings_answers: bool | None, usable: int, rejected: list[Rejected]) -> None:
    """Print what a file holds, and the first of what cannot be used."""
    console = Console()
    kind = "ready pairs" if brings_answers else "prompts that the candidates will answer"
    console.print(
        f"{escape(str(file))}: {usable:,} usable rows ({kind}), {len(rejected):,} rejected lines"
    )
    if not rejected:
        return
    table = Table("line", "field", "reason", title="rejected")
    for line in rejected[:MOST_SHOWN]:
        table.add_row(str(line.line), line.field or "", escape(line.reason))
    console.print(table)
    if len(rejected) > MOST_SHOWN:
        reasons = Counter(line.reason for line in rejected).most_common(5)
        console.print("… " + "; ".join(f"{count:,} of {reason}" for reason, count in reasons))
