"""Everything that a report needs of the judged rows beside their texts, collected in one pass.

The rows of one judge job are a part: it is kept in a folder as columns and counts, and a report
joins the parts of its run, a column at a time. What is joined is what one pass over all rows gives.
"""

from array import array
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.findings.rubric_findings import RubricCounts, RubricEvidence
from nova_judge.pairs.controls import FirstJudged
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.pairs.rubric_packing import PackedRows
from nova_judge.records import JudgedRow, Judgment, Unscored
from nova_judge.statistics.arrays import Ints
from nova_judge.statistics.evidence import Evidence, EvidenceColumns
from nova_judge.statistics.findings import MOST_CONTROLLED
from nova_judge.statistics.outcomes import Outcome, Profile

STAGES = ("judge, forward", "judge, backward", "rubric")
COLUMNS_FILE, COUNTS_FILE = "columns.npz", "counts.json"
_WIDTHS = {"lengths": (2,), "markup": (2, 3)}
_HALVED = frozenset(_WIDTHS)
"""Counts of characters and marks in texts of a few megabytes: exact in half of the bytes."""
PartColumn: TypeAlias = npt.NDArray[Any]
PartColumns: TypeAlias = Mapping[str, PartColumn]
_PACKED = ("counts", "entries", "forward", "backward")


class RunEvidence(NamedTuple):
    """PartColumns of all rows, their lines in the input, unreadable judgments by stage and reason.

    `styled`: of very many rows an even sample, which alone has lengths and markup.
    """

    evidence: Evidence
    lines: Ints
    errors: Counter[tuple[str, str]]
    rubrics: RubricEvidence
    styled: Evidence | None = None

    def judged(self, lines: Collection[int]) -> Mapping[int, FirstJudged]:
        """The rows of these lines, as far as they were judged."""
        rows = self.evidence

        def first(at: int) -> FirstJudged:
            verdicts = Profile(Outcome(rows.forward[at]), Outcome(rows.backward[at]))
            return FirstJudged(int(rows.clusters[at]), verdicts)

        places: list[int] = np.flatnonzero(np.isin(self.lines, list(lines))).tolist()
        return {int(self.lines[at]): first(at) for at in places}


def unscored_parts(judgment: Judgment) -> Iterator[tuple[str, str]]:
    """The stage and the reason of each part of a judgment that could not be read."""
    parts = (judgment.forward, judgment.backward, judgment.rubric)
    for stage, part in zip(STAGES, parts, strict=True):
        if isinstance(part, Unscored):
            yield stage, part.reason


class PartCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a part. `notes`: rows whose details disagree with themselves, by how.

    `categories` and `names` (of criteria) are what the codes in the columns stand for.
    """

    rows: int
    errors: tuple[tuple[str, str, int], ...]
    notes: dict[str, int]
    categories: tuple[str | None, ...]
    names: tuple[str, ...]
    rubrics: RubricCounts


class EvidenceCollector:
    """Collects the evidence of rows while they stream by."""

    def __init__(self) -> None:
        self._columns = EvidenceColumns()
        self._lines = array("q")
        self._errors: Counter[tuple[str, str]] = Counter()
        self._rubrics = RubricEvidence()

    def watch(self, rows: Iterable[JudgedRow]) -> Iterator[JudgedRow]:
        """Pass the rows on."""
        for judged in rows:
            judgment = judged.judgment
            for part in unscored_parts(judgment):
                self._errors[part] += 1
            self._rubrics.add(judgment)
            self._columns.add(evidence_row(judged))
            self._lines.append(judged.row.line)
            yield judged

    def take(self) -> RunEvidence:
        """The evidence of all rows that passed."""
        lines = np.array(self._lines, dtype=np.int64)
        return RunEvidence(self._columns.take(), lines, self._errors, self._rubrics)


def evidence_of(rows: Iterable[JudgedRow]) -> RunEvidence:
    """The evidence of rows that are needed for nothing else."""
    collector = EvidenceCollector()
    deque(collector.watch(rows), maxlen=0)
    return collector.take()


def write_part(part: RunEvidence, folder: Path, notes: Mapping[str, int]) -> None:
    """Keep a part: `columns.npz`, and what they stand for in `counts.json`."""
    categories: dict[str | None, int] = {}
    codes = [categories.setdefault(name, len(categories)) for name in part.evidence.categories]
    packed = part.rubrics.packer.take()
    columns: dict[str, PartColumn] = {
        f"rubric_{name}": np.frombuffer(getattr(packed, name), dtype=np.uint8) for name in _PACKED
    }
    for field in fields(Evidence):
        values = getattr(part.evidence, field.name)
        if values.dtype == np.float64 and np.isnan(values).all():
            continue
        columns[field.name] = values.astype(np.float32) if field.name in _HALVED else values
    columns["categories"] = np.array(codes, dtype=np.int32)
    columns["lines"] = part.lines
    np.savez(folder / COLUMNS_FILE, **columns)  # type: ignore[arg-type]
    counts = PartCounts(
        rows=part.evidence.rows,
        errors=tuple((*where, rows) for where, rows in part.errors.items()),
        notes=dict(notes),
        categories=tuple(categories),
        names=packed.names,
        rubrics=part.rubrics.counts,
    )
    (folder / COUNTS_FILE).write_bytes(msgspec.json.encode(counts))


def read_counts(folder: Path) -> PartCounts:
    """The counts of a kept part."""
    return msgspec.json.decode((folder / COUNTS_FILE).read_bytes(), type=PartCounts)


def read_packed(folder: Path) -> PackedRows:
    """The rubrics of a kept part."""
    with np.load(folder / COLUMNS_FILE) as columns:
        return PackedRows(
            read_counts(folder).names,
            *(bytearray(columns[f"rubric_{name}"].tobytes()) for name in _PACKED),
        )


def join_parts(folders: Sequence[Path], most_styled: int = MOST_CONTROLLED) -> RunEvidence:
    """The rows of all parts, in this order; at least one part."""
    counts = [read_counts(folder) for folder in folders]
    errors: Counter[tuple[str, str]] = Counter()
    rubrics = RubricEvidence()
    for folder, part in zip(folders, counts, strict=True):
        for stage, reason, rows in part.errors:
            errors[stage, reason] += rows
        rubrics.counts.extend(part.rubrics)
        rubrics.packer.extend(read_packed(folder))
    parts = [np.load(folder / COLUMNS_FILE) for folder in folders]
    rows = sum(part.rows for part in counts)
    joined = {
        field.name: _unknown(field.name, rows)
        if field.name in _HALVED and rows > most_styled
        else _column(field.name, parts, counts)
        for field in fields(Evidence)
    }
    evidence = Evidence(**joined)
    styled = _styled(evidence, parts, most_styled) if rows > most_styled else None
    lines = np.concatenate([part["lines"] for part in parts])
    for part in parts:
        part.close()
    return RunEvidence(evidence, lines, errors, rubrics, styled)


def _styled(evidence: Evidence, parts: Sequence[PartColumns], most: int) -> Evidence:
    """An even sample of the rows, with the lengths and the markup of their answers."""
    drawn = evidence.drawn(most)
    edges = np.cumsum([len(part["lines"]) for part in parts])[:-1]
    marks = list(zip(parts, np.split(drawn, edges), strict=True))
    styles = {
        name: np.concatenate([part[name][mark] for part, mark in marks])
        for name in _HALVED
        if all(name in part for part in parts)
    }
    return replace(evidence.where(drawn), **styles)


def _unknown(name: str, rows: int) -> PartColumn:
    return np.broadcast_to(np.nan, (rows, *_WIDTHS.get(name, ())))


def _column(name: str, parts: Sequence[PartColumns], counts: Sequence[PartCounts]) -> PartColumn:
    """One column of all parts; one that says nothing takes no memory."""
    if name == "categories":
        return np.concatenate(
            [
                np.array(count.categories, dtype=object)[part[name]]
                if count.rows
                else np.array([], dtype=object)
                for part, count in zip(parts, counts, strict=True)
            ]
        )
    width = _WIDTHS.get(name, ())
    if not any(name in part for part in parts):
        return _unknown(name, sum(count.rows for count in counts))
    return np.concatenate(
        [
            part[name] if name in part else np.full((count.rows, *width), np.nan, dtype=np.float32)
            for part, count in zip(parts, counts, strict=True)
        ]
    )
