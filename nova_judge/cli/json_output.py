"""JSON that commands print for programs."""

import msgspec

from nova_judge.cli.terminal import say_json


def print_json(value: object) -> None:
    """Print one JSON document, indented, to stdout: what `--json` asks for."""
    say_json(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
