"""Options that several commands share, spelled and bounded alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from nova_judge.errors import RequestError
from nova_judge.findings.metrics_record import Reweighing

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
StageOption: TypeAlias = Annotated[
    str, typer.Option("--stage", help="The stage of cdk.json that is deployed.")
]
TriggeredBy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--trigger",
        metavar="JOB|ARN",
        help="The training job or the model package that $trigger stands for in the recipe.",
    ),
]
Map: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN,...",
        help="Columns with other names: prompt=question,response_A=output_1; also paths such as "
        "answers.text.0, rows=PATH in a JSON document, and ignore=COLUMN.",
    ),
]
NameA: TypeAlias = Annotated[
    str, typer.Option("--name-a", help="What the report calls the file's response_A.")
]
NameB: TypeAlias = Annotated[
    str, typer.Option("--name-b", help="What the report calls the file's response_B.")
]
Join: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="A second file, joined by id: its columns are read as join.COLUMN."),
]

Groups: TypeAlias = Annotated[
    Path | None, typer.Option(help="Your own table of criterion groups, JSON or YAML.")
]
WeightsAsked: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Weights of criteria, such as accuracy=0.6,completeness=0.4; others count nothing."
    ),
]
Drop: TypeAlias = Annotated[str, typer.Option(help="Criteria to leave out, separated by commas.")]
Only: TypeAlias = Annotated[str, typer.Option(help="Criteria to keep, separated by commas.")]
NewFile: TypeAlias = Annotated[
    Path, typer.Option(help="The JSON Lines file to write; it must not exist.")
]
RecipeOption: TypeAlias = Annotated[
    str, typer.Option(help="A recipe's name, or the path of its YAML file.")
]
RunArgument: TypeAlias = Annotated[
    str, typer.Argument(help="A run's folder, or s3://bucket/runs/<id>/.")
]
RunOrMetrics: TypeAlias = Annotated[
    str, typer.Argument(help="A run's folder, its metrics.json, or s3://bucket/runs/<id>/.")
]
RunsFolder: TypeAlias = Annotated[Path, typer.Argument(help="A folder with runs below it.")]


def reweighing(weights: str, drop: str, only: str) -> Reweighing | None:
    """The weights that a user asks for; None for the judge's own."""
    return Reweighing(weights, drop, only) if weights or drop or only else None


def share_of(text: str, least: float = 0.0, most: float = 1.0) -> float | None:
    """The number that an option gives; None for what is none, or lies beyond the ends."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if least <= number <= most else None


def leasts(
    given: list[str] | None, form: str, *ends: float, called: Callable[[str], str] = str
) -> dict[str, float]:
    """The least value by name, of options NAME:LEAST; raises RequestError with the form wanted.

    `called` gives the one name of those that mean the same.
    """
    found: dict[str, float] = {}
    for text in given or ():
        spelled, _, least = text.rpartition(":")
        name = called(spelled)
        number = share_of(least, *ends)
        if not name or number is None:
            raise RequestError(f"--criterion {text}: write NAME:LEAST{form}")
        if name in found:
            raise RequestError(f"--criterion {text}: {name} has a least value already")
        found[name] = number
    return found


def names_of(name_a: str, name_b: str) -> dict[str, str]:
    """The names that were given, as the metadata of an uploaded file."""
    given = {"name-a": name_a.strip(), "name-b": name_b.strip()}
    return {field: name for field, name in given.items() if name}
