"""Verdicts that a judge gave elsewhere, by the ids of rows."""

from collections import defaultdict
from pathlib import Path

import msgspec

from nova_judge.errors import NovaJudgeError
from nova_judge.inputs.input_file import require_records

_FORM = 'A line is {"id": "…", "forward": "A>B", "backward": "B>A"}; null for no verdict.'


class RecordedLine(msgspec.Struct):
    """The labels of one row's two orders, and perhaps the texts; `backward` speaks of B, A."""

    id: str | int
    forward: str | None = None
    backward: str | None = None
    forward_output: str | None = None
    backward_output: str | None = None


class RecordedVerdicts:
    """The lines of a file; rows of one id are matched in the order of both files."""

    def __init__(self, file: Path, error: type[NovaJudgeError]) -> None:
        if not file.is_file():
            raise error(f"{file}: there is no such file of recorded verdicts.")
        self._error, self._file = error, file
        self._lines: dict[str, list[RecordedLine]] = defaultdict(list)
        for line in require_records(file, RecordedLine, error, _FORM):
            self._lines[str(line.id)].append(line)

    def of(self, row: str | None, place: int, prompt: str) -> RecordedLine:
        """The line of a row; `place` counts earlier rows of its id. Raises the file's error."""
        lines = self._lines.get(row, []) if row is not None else []
        if not lines:
            raise self._error(
                f"{self._file}: no verdict is recorded for row {row!r} (prompt {prompt[:60]!r}):"
                " the recorded judge finds rows by `id`."
            )
        if place >= len(lines):
            raise self._error(
                f"Id {row!r} stands more than once in the input, and {len(lines)} times in the"
                " record: rows of one id are matched in the order of both files, one by one."
            )
        return lines[place]
