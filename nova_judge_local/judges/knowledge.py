"""Knowledge of the stand-in judge beside its input file, which holds prompt and responses only.

Local mode hands it the user's file: references by prompt, and the ids of rows, found by prompt and
responses in the order of the file.
"""

from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nova_judge.inputs.columns import MISSING, RowColumns
from nova_judge.inputs.reading import AS_NAMED, AnswerSources
from nova_judge.inputs.row_fields import columns_of, row_of
from nova_judge.json_lines import lines_of
from nova_judge.recipe.column_map import OWN_NAMES
from nova_judge.records import CANDIDATES, InputRow


class KnownRow(NamedTuple):
    """Facts of one row of the user's file.

    `place` counts the rows of the same id from 0, in the order of the file.
    """

    id: str | None
    reference: str | None
    place: int = 0


class Knowledge:
    """Rows of one or several files. Each equal row is handed out once, then the last one again.

    A pair that stands in no file (a control row) is known by its prompt: it has that row's
    reference, and no id.
    """

    def __init__(self, files: list[Path]) -> None:
        self._rows: dict[tuple[str, str | None, str | None], deque[KnownRow]] = {}
        self._prompts: dict[str, KnownRow] = {}
        places: Counter[str | None] = Counter()
        for file in files:
            for row in _rows(file):
                entry = KnownRow(row.id or None, row.reference, places[row.id])
                places[row.id] += 1
                key = (row.shown, row.response_A, row.response_B)
                self._rows.setdefault(key, deque()).append(entry)
                self._prompts.setdefault(row.shown, entry._replace(id=None))

    def of(self, prompt: str, response_A: str, response_B: str) -> KnownRow | None:
        """The row with these responses, or else the row that brought the prompt alone."""
        sides = ((response_A, response_B), (response_A, None), (None, response_B), (None, None))
        for side in sides:
            rows = self._rows.get((prompt, *side))
            if rows:
                return rows.popleft() if len(rows) > 1 else rows[0]
        return self._prompts.get(prompt)


def _rows(file: Path) -> Iterator[InputRow]:
    """The rows that a run reads; which lines are rejected is not decided here."""
    with file.open("rb") as lines:
        for line in lines_of(lines):
            columns = columns_of(line.content or b"", OWN_NAMES)
            if isinstance(columns, RowColumns):
                brought = (columns.find(f"response_{side}") for side in CANDIDATES)
                sources = AnswerSources(
                    *("generated" if value is MISSING else "file" for value in brought)
                )
                row = row_of(line.number, columns, sources, AS_NAMED)
                if isinstance(row, InputRow):
                    yield row
