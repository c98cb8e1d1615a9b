"""`nova-judge validate`: read an input file as a run would, without AWS."""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.markup import escape
from rich.progress import TimeRemainingColumn

from nova_judge.cli.arguments import AsJson, Join, Map, TriggeredBy
from nova_judge.cli.command_input import first_bytes, progress_bar, source, triggered_recipe
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import InputFileError
from nova_judge.inputs import dataset
from nova_judge.inputs.reading import FROM_FILE, AnswerSources, asked_by
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.preflight.input_head import rows_of, sources_of, unread_of
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import FailedRow, InputRow, Rejected, as_rejected
from nova_judge.sources.answers_file import how_to_bring
from nova_judge.sources.known_sources import asked_warnings
from nova_judge.text import count_of

MOST_SHOWN = 20
_OPTIONAL = ("reference", "label", "category", "system", "context", "cluster")
_ONE_TEXT = "one text or number is read"
_READ = {
    "label": "A, B, tie, A>B, model_a and the like are read",
    "reference": f"{_ONE_TEXT}; --map reference=reference.0 reads the first of several",
}
"""The values of an optional field that can be read."""


class Checked(NamedTuple):
    """Contents of a file: what it `holds`, its number of usable lines, and the lines set aside.

    `lost` and `optional` count the rows on which an optional field cannot, or can, be read;
    `prompts` are different ones (or different `cluster`), of which `repeated` have several rows;
    `same` counts the rows of which both answers are one text.
    """

    holds: str
    usable: int
    rejected: list[Rejected]
    lost: dict[str, int]
    optional: dict[str, int]
    prompts: int = 0
    repeated: int = 0
    same: int = 0


def command(
    file: Annotated[
        Path,
        typer.Argument(help="Prompts, or ready pairs: JSON Lines, JSON, CSV, Parquet, or in gzip."),
    ],
    recipe: Annotated[
        str | None,
        typer.Option(help="The recipe that will read it, if it reads other fields."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every rejected line here, as JSON Lines.")
    ] = None,
    columns: Map = None,
    join: Join = None,
    trigger: TriggeredBy = "",
    as_json: AsJson = False,
) -> None:
    """Read a file as a run would: how many rows can be used, and why others cannot.

    Exit code 0 when every line can be used, 1 when some cannot, 3 when none can.

    Examples:

      nova-judge validate questions.jsonl

      nova-judge validate pairs.jsonl --out rejected.jsonl

      nova-judge validate own-data.jsonl --recipe own-data

      nova-judge validate questions.csv --map prompt=question,reference=answer
    """
    read = None if recipe is None else triggered_recipe(recipe, trigger)
    with source(file, read, columns, join) as lines:
        checked = check(lines or file, read, name=file, as_json=as_json)
    if out is not None:
        out.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in checked.rejected))
    require_usable(read, file, checked)
    raise typer.Exit(1 if checked.rejected else 0)


def check(file: Path, recipe: Recipe | None, name: Path, *, as_json: bool = False) -> Checked:
    """Read a file of JSON Lines as the recipe would, and print what it holds under its `name`.

    Raises InputFileError.
    """
    if recipe is not None and not kind_of(recipe.kind).needs_file(recipe):
        raise InputFileError(f"recipe {recipe.name} reads no file: start it without one")
    head = dataset.usable_head(
        functools.partial(first_bytes, file), lambda head: sources_of(recipe, head) is not None
    )
    unread = unread_of(recipe, head, str(name))
    sources = sources_of(recipe, head) or FROM_FILE
    warnings = tuple(asked_warnings(recipe, asked_by(recipe, sources))) if recipe else ()
    rows = rows_of(recipe, _chunks(file), file.stat().st_size, sources)
    checked = _counted(_holds(recipe, sources), rows)
    if as_json:
        print_json({"file": str(name), **checked._asdict(), "unread": unread, "warnings": warnings})
    else:
        _show(name, checked, unread, warnings)
    return checked


def require_usable(recipe: Recipe | None, file: Path, checked: Checked) -> None:
    """Raise InputFileError with the next step where no line of the file can be used."""
    if not checked.usable:
        by = f" by recipe {recipe.name}" if recipe else ""
        advice = how_to_bring(recipe, next(iter(checked.rejected), None))
        raise InputFileError(f"{file}: no line can be used{by}{advice and f': {advice}'}")


def _holds(recipe: Recipe | None, sources: AnswerSources) -> str:
    if recipe is not None and not kind_of(recipe.kind).generates:
        return "questions for the model under test"
    if "generated" in sources:
        return "prompts that the candidates will answer"
    return "answers of one candidate" if "unused" in sources else "ready pairs"


def _counted(holds: str, lines: Iterable[object]) -> Checked:
    usable, same, rejected = 0, 0, []
    lost, optional, prompts = Counter[str](), Counter[str](), Counter[int]()
    for line in lines:
        if isinstance(line, Rejected | FailedRow):
            rejected.append(as_rejected(line))
            continue
        usable += 1
        if isinstance(line, InputRow):
            lost.update(line.lost)
            prompts[cluster_of(line)] += 1
            same += line.response_A is not None and line.response_A == line.response_B
            optional.update(name for name in _OPTIONAL if getattr(line, name) is not None)
    repeated = sum(count > 1 for count in prompts.values())
    read = dict(lost), dict(optional)
    return Checked(holds, usable, rejected, *read, len(prompts), repeated, same)


def _chunks(file: Path) -> Iterator[bytes]:
    """The bytes of a file; shows on stderr how far it is."""
    with progress_bar(TimeRemainingColumn()) as progress, file.open("rb") as opened:
        task = progress.add_task("reading", total=file.stat().st_size)
        while chunk := opened.read(1 << 20):
            yield chunk
            progress.advance(task, len(chunk))


def _show(file: Path, checked: Checked, unread: tuple[str, ...], warnings: tuple[str, ...]) -> None:
    console = Console()
    rejected = checked.rejected
    console.print(
        f"{escape(str(file))}: {count_of(checked.usable, 'usable row')} ({checked.holds}), "
        f"{count_of(len(rejected), 'rejected line')}"
    )
    for warning in warnings:
        console.print(f"[yellow]{escape(warning)}[/]")
    if checked.repeated:
        console.print(
            f"[yellow]{checked.repeated:,} of "
            f"{count_of(checked.prompts, 'prompt has', 'prompts have')} several rows, which "
            "count as one prompt in intervals and tests[/]"
        )
    if checked.same:
        rows = count_of(checked.same, "row has", "rows have")
        console.print(f"[yellow]{rows} the same text as both answers[/]")
    for name, count in checked.optional.items():
        console.print(f"[dim]`{name}` is read on {count_of(count, 'row')}[/]")
    if unread:
        names = ", ".join(f"`{name}`" for name in unread)
        console.print(f"[dim]columns that are not read: {escape(names)}[/]")
    for name, count in checked.lost.items():
        rows = count_of(count, "row, which stays", "rows, which stay")
        console.print(f"[yellow]`{name}` cannot be read on {rows}: {_READ.get(name, _ONE_TEXT)}[/]")
    if not rejected:
        return
    lines = ((str(one.line), one.field or "", one.reason) for one in rejected[:MOST_SHOWN])
    console.print(table(("line", "field", "reason"), lines, title="rejected"))
    if len(rejected) > MOST_SHOWN:
        reasons = Counter(line.reason for line in rejected).most_common(5)
        console.print("… " + "; ".join(f"{count:,} of {reason}" for reason, count in reasons))
