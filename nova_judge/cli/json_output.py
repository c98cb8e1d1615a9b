"""What commands print for programs."""

import msgspec
import typer


def print_json(value: object) -> None:
    """Print one JSON document, indented, to stdout: what `--json` asks for."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
