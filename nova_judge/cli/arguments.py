"""Options that several commands share, spelled and bounded alike."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Level: TypeAlias = Annotated[
    float,
    typer.Option(
        "--confidence",
        "--level",
        min=0.5,
        max=0.9999,
        help="Confidence level of every interval and test.",
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Map: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN,...",
        help="Columns with other names: prompt=question,response_A=output_1; also paths such as "
        "answers.text.0, rows=PATH in a JSON document, and ignore=COLUMN.",
    ),
]
Join: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="A second file, joined by id: its columns are read as join.COLUMN."),
]
