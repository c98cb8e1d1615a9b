"""Options that several commands share, spelled and bounded alike."""

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
