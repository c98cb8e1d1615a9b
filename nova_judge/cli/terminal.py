"""Terminal output of commands: nothing that models, judges or files say can steer the terminal."""

import io
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from nova_judge.json_lines import indented
from nova_judge.text import visible

_STEERS_IN_JSON = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_STATUSES = {
    **{"pass": "green", "warn": "yellow", "fail": "red", "not run": "dim"},
    **{"confirmed": "green", "refuted": "red", "not tried": "dim"},
}
"""The colours of what a check may find."""


class Console(rich.console.Console):
    """rich's console, through which all text goes: styles keep their codes, texts lose theirs.

    Nothing is coloured but what a command colours.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 (rich's own)
        super().__init__(emoji=False, highlight=False, **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Give what is about to be written, piece by piece."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def right(*names: str) -> Iterator[Column]:
    """Columns of numbers, which end at the right."""
    return (Column(name, justify="right") for name in names)


def table(
    columns: Iterable[Any],
    rows: Iterable[Iterable[str | Text]],
    **look: Any,  # noqa: ANN401 (rich's own)
) -> Table:
    """Rows below columns, names or rich's own, in rich's `look`. Texts are shown as they are."""
    made = Table(*columns, **look)
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def bare_table(columns: Iterable[Any], rows: Iterable[Iterable[str | Text]]) -> Table:
    """The same without lines; where no column has a name, without a head."""
    names = tuple(columns)
    return table(names, rows, box=None, pad_edge=False, show_header=bool(names))


def checks_table(what: str, found: str, checks: Iterable[tuple[str, str, str, str]]) -> Table:
    """Checks, each by its name, status, finding and advice; `what` and `found` head columns."""
    columns = ("", *(Column(name, overflow="fold") for name in (what, found, "what to do")))
    return bare_table(
        columns,
        ((Text(status, _STATUSES[status]), name, *texts) for name, status, *texts in checks),
    )


def say(text: str) -> None:
    """Write plain text to stdout, for people and for programs that read lines."""
    sys.stdout.write(f"{visible(text)}\n")


def print_json(value: object) -> None:
    """Write one JSON document, indented, to stdout; what could steer a terminal is escaped."""
    text = indented(value).decode().rstrip("\n")
    utf = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    sys.stdout.write(f"{(_STEERS_IN_JSON if utf else _NOT_ASCII).sub(_escaped, text)}\n")


def accept_any_text() -> None:
    """Let both streams write what their encoding has no character for as an escape: no failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
