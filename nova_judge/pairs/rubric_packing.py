"""Rubrics packed row by row into bytes, for `rubric_columns` to read."""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from nova_judge.pairs.weighted_scores import score_units, weight_units
from nova_judge.records import CriterionScores, Judgment, Rubric
from nova_judge.statistics.outcomes import Outcome, outcome_of

ENTRY: Final = struct.Struct("<iihh")
"""A criterion: its name's place in `names`, weight in millionths, scores of A and B in 400ths."""
COLUMNS: Final = [("code", "<i4"), ("weight", "<i4"), ("A", "<i2"), ("B", "<i2")]
"""The same as columns of numpy."""


class PackedRows(NamedTuple):
    """Rows in order: a byte of `counts`, `forward` and `backward` each, and `counts` entries.

    A rubric has at most `rubric_reading.CRITERIA_LIMIT` criteria, so that a byte counts them.
    """

    names: tuple[str, ...]
    counts: bytearray
    entries: bytearray
    forward: bytearray
    backward: bytearray


class RubricPacker:
    """Collects rows one by one, in sixty bytes per row."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._rows = _no_rows()

    def packed(self, criterion: CriterionScores) -> bytes:
        """One criterion as an entry."""
        code = self._names.setdefault(criterion.name, len(self._names))
        of_a, of_b = (score_units(criterion, s) for s in (criterion.score_A, criterion.score_B))
        return ENTRY.pack(code, weight_units(criterion.weight), of_a, of_b)

    def add(self, judgment: Judgment) -> None:
        """The next row. A rubric that is missing or unreadable leaves a row without entries."""
        rubric = judgment.rubric
        criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
        forward, backward = outcome_of(judgment.forward), outcome_of(judgment.backward)
        self.add_packed([self.packed(criterion) for criterion in criteria], forward, backward)

    def add_packed(self, entries: Sequence[bytes], forward: Outcome, backward: Outcome) -> None:
        """The next row, from packed entries."""
        rows = self._rows
        rows.counts.append(len(entries))
        rows.entries.extend(b"".join(entries))
        rows.forward.append(forward)
        rows.backward.append(backward)

    def extend(self, rows: PackedRows) -> None:
        """The next rows, packed elsewhere."""
        import numpy as np  # noqa: PLC0415 - a tenth of a second in a process that only packs

        places = [self._names.setdefault(name, len(self._names)) for name in rows.names]
        entries = np.frombuffer(rows.entries, dtype=COLUMNS).copy()
        entries["code"] = np.array(places or [0], dtype=np.int32)[entries["code"]]
        self._rows.entries.extend(entries.tobytes())
        self._rows.counts.extend(rows.counts)
        self._rows.forward.extend(rows.forward)
        self._rows.backward.extend(rows.backward)

    def take(self) -> PackedRows:
        """All rows since the last time, handed over without a copy."""
        taken = self._rows._replace(names=tuple(self._names))
        self._names, self._rows = {}, _no_rows()
        return taken


def _no_rows() -> PackedRows:
    return PackedRows((), bytearray(), bytearray(), bytearray(), bytearray())
