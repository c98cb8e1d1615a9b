"""JSON that commands print for programs."""

from nova_judge.cli.terminal import say_json
from nova_judge.json_lines import indented


def print_json(value: object) -> None:
    """Print one JSON document, indented, to stdout: what `--json` asks for."""
    say_json(indented(value).decode().rstrip("\n"))
