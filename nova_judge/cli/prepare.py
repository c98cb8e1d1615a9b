"""`nova-judge prepare`: input files from public question sets that are on this machine."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, NewFile
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import InputFileError, RequestError
from nova_judge.inputs.squad import LICENCE, squad_rows
from nova_judge.text import count_of

app = typer.Typer(no_args_is_help=True)


@app.command("squad")
def squad(
    file: Annotated[Path, typer.Argument(help="An official SQuAD file, such as dev-v1.1.json.")],
    out: NewFile,
    first: Annotated[
        int | None, typer.Option(min=1, help="Only the first questions, this many.")
    ] = None,
    context: Annotated[
        bool, typer.Option("--context", help="With the passage that answers each question.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the questions of SQuAD with their first right answer; nothing is downloaded.

    Questions without an answer (SQuAD 2.0) are left out. SQuAD is licensed CC BY-SA 4.0, and so is
    what is made of it.

    Examples:

      nova-judge prepare squad train-v1.1.json --first 20 --out questions.jsonl
    """
    rows = list(islice(squad_rows(file, context=context), first))
    if not rows:
        raise InputFileError(f"{file} holds no question with an answer")
    try:
        with out.open("xb") as target:
            for row in rows:
                target.write(msgspec.json.encode(row) + b"\n")
    except FileExistsError as error:
        raise RequestError(f"{out} exists already: name a new file, or remove it first.") from error
    if as_json:
        print_json({"questions": len(rows), "file": str(out), "licence": LICENCE})
        return
    console = Console(stderr=True)
    console.print(f"{count_of(len(rows), 'question')} in {escape(str(out))}. Licence: {LICENCE}")
