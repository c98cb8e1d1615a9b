"""Judgments that never went through our pipeline: JSON Lines, CSV or Parquet, row by row.

Columns: `id, forward, backward, label?, probability?, margin?, category?, length_A?, length_B?,
cluster?`, or `preference`, by default the share that B wins: its scale belongs to the file.
Labels such as `A>B` speak of the order shown: in `backward`, where B is shown first, `A>B` says
that B won. The bare words A, B, tie and both_bad, as in our own judgments.parquet, speak of the
candidates. Null or nothing is a verdict that could not be read. A field that cannot be read costs
itself and not its line, and is counted; words that name no known verdict refuse the file, because
such lines do say something.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from nova_judge.errors import InputFileError
from nova_judge.findings.judgment_counts import Repeated, counted_lines
from nova_judge.findings.judgment_fields import (
    COLUMNS,
    JUDGED_BY,
    SHARE,
    Fields,
    OutsideScaleError,
    PreferenceScale,
    UnusableFieldsError,
    judged_by,
    map_advice,
    misspelt,
    other_scale,
)
from nova_judge.findings.label_file import LabelsRead, read_labels, shown_spellings
from nova_judge.inputs.input_file import Record, read_records
from nova_judge.inputs.label_words import KNOWN, read_label
from nova_judge.statistics.evidence import Basis, Evidence, EvidenceRow, gather
from nova_judge.statistics.outcomes import Outcome
from nova_judge.text import count_of

MOST_UNREAD = 0.01
_HEAD = 20
"""The share of a column that may be unreadable, or of lines set aside, before it is said first."""


class SetAside(msgspec.Struct, frozen=True):
    """A line of the file that cannot be used, and why. `line` counts from 1."""

    line: int
    reason: str


class JudgmentsRead(NamedTuple):
    """A file of judgments as evidence; `rows` counts its lines, `notes` say what was understood."""

    evidence: Evidence
    basis: Basis
    rows: int
    set_aside: list[SetAside]
    notes: list[str]


def read_judgment_file(
    file: Path,
    labels: Path | None = None,
    columns: Mapping[str, str] | None = None,
    scale: PreferenceScale = SHARE,
) -> JudgmentsRead:
    """Read a file of judgments, and labels (or categories and lengths) of the same ids.

    `columns` names the columns of fields with other names. Raises InputFileError when the file
    cannot be read, holds no usable line, a preference beside its scale, or unknown verdicts.
    """
    if labels is None and not columns and (lines := counted_lines(file)) is not None:
        reading = _of_counts(lines, scale)
        if reading is not None:
            return reading
    read = read_labels(labels) if labels else LabelsRead({}, Counter())
    reader = _Reader(read, scale)
    try:
        evidence = gather(reader.rows(read_records(file, columns)))
    except OutsideScaleError as outside:
        raise InputFileError(f"{file}: {other_scale(outside, scale)}") from None
    reader.check_verdicts(file)
    if not evidence.rows:
        first = "; ".join(f"line {each.line}: {each.reason}" for each in reader.set_aside[:3])
        raise InputFileError(
            f"{file}: no line can be used ({first or 'it is empty'}). Expected columns: "
            f"{', '.join(COLUMNS)}.{map_advice(_verdict_columns(file, columns))}"
        )
    basis = reader.basis()
    return JudgmentsRead(
        _with_outcomes(evidence, basis, has_verdicts="forward" in reader.columns),
        basis,
        evidence.rows + len(reader.set_aside),
        reader.set_aside,
        reader.notes(basis, labels),
    )


def _verdict_columns(file: Path, columns: Mapping[str, str] | None) -> list[str]:
    """The columns whose first texts all name a verdict, but for what people said."""
    head = [record.fields for record in islice(read_records(file, columns), _HEAD)]
    rows = [fields for fields in head if isinstance(fields, dict)]
    names = dict.fromkeys(name for fields in rows for name in fields)
    texts = {name: [fields.get(name) for fields in rows] for name in names}
    return [
        name
        for name, values in texts.items()
        if name != "label" and all(isinstance(value, str) and read_label(value) for value in values)
    ]


def _of_counts(lines: Sequence[Repeated], scale: PreferenceScale) -> JudgmentsRead | None:
    """The reading of lines that were counted; None where one of them needs a note."""
    reader = _Reader(LabelsRead({}, Counter()), scale)
    once = gather(reader.rows(Record(0, each.fields) for each in lines))
    if reader.set_aside or reader.lost or once.rows != len(lines):
        return None
    evidence = once.repeated([each.lines for each in lines])
    basis = reader.basis()
    return JudgmentsRead(
        _with_outcomes(evidence, basis, has_verdicts=True),
        basis,
        evidence.rows,
        [],
        reader.notes(basis, None),
    )


class _Reader:
    """Turns records into evidence rows, and remembers what kinds of judgment it met."""

    def __init__(self, labels: LabelsRead, scale: PreferenceScale) -> None:
        self._known, self._lost_of_labels = labels
        self._scale = scale
        self.lost: Counter[str] = Counter()
        self._spellings = {name: Counter[str]() for name in JUDGED_BY}
        self._lines = 0
        self._joined: set[str] = set()
        self._ids: Counter[str] = Counter()
        self.seen: set[str] = set()
        self.columns: set[str] = set()
        self.set_aside: list[SetAside] = []
        self._turned: set[str] = set()

    def rows(self, records: Iterable[Record]) -> Iterator[EvidenceRow]:
        for record in records:
            try:
                yield self._row(record.fields)
            except UnusableFieldsError as unusable:
                self.set_aside.append(SetAside(record.line, str(unusable)))

    def basis(self) -> Basis:
        if "preference" in self.seen and not {"forward", "backward"} & self.seen:
            return Basis.PREFERENCE
        return Basis.BOTH_ORDERS if "backward" in self.columns else Basis.ONE_ORDER

    def notes(self, basis: Basis, labels: Path | None) -> list[str]:
        notes = [_unread(f"`{name}`", lines) for name, lines in self.lost.items()]
        repeated = sum(1 for count in self._ids.values() if count > 1)
        if repeated:
            notes.append(
                f"{count_of(repeated, 'id appears', 'ids appear')} more than once: rows of one id "
                "count as one prompt, unless a column `prompt` or `cluster` tells them apart"
            )
        if labels is not None:
            ids = count_of(len(self._known), "id")
            notes.append(f"{len(self._joined)} of {ids} of the labels have a judgment")
            lost = self._lost_of_labels.items()
            notes += [_unread(f"`{name}` of the labels", lines) for name, lines in lost]
        if self._turned:
            words = ", ".join(f"`{word}`" for word in sorted(self._turned)[:4])
            notes.append(
                f"words such as {words} in `backward` speak of the order shown, B first: A and B "
                "alone name the candidates"
            )
        if basis is Basis.ONE_ORDER:
            by = "verdict" if "forward" in self.columns else "margin"
            notes.append(f"one {by} a row: what the position does to the judge cannot be measured")
        if basis is Basis.PREFERENCE:
            low, high = self._scale
            notes.append(
                f"`preference` is read as {low:g} where A wins to {high:g} where B wins: "
                "--preference LOW:HIGH names another scale"
            )
        elif "preference" in self.seen:
            notes.append("preference: not used, because the rows have verdicts")
        return notes

    def _row(self, fields: dict[str, Any] | str) -> EvidenceRow:
        if isinstance(fields, str):
            raise UnusableFieldsError(fields)
        self.columns |= fields.keys()
        given, read = judged_by(fields), Fields(fields)
        row, row_id = read.evidence(self._scale), read.text("id")
        self._lines += 1
        self._turned |= {read.turned_word} - {""}
        for name, shown in dict(read.lost).items():
            self.lost[name] += 1
            if name in self._spellings:
                self._spellings[name][shown] += 1
        self.seen |= given
        if row_id is None:
            return row
        self._ids[row_id] += 1
        return self._with_labels(row_id, row)

    def check_verdicts(self, file: Path) -> None:
        """Raises InputFileError where a hundredth of the verdicts are words that are not known, or
        of the preferences or margins no numbers: such a row would be left out because of what it
        says. Also where a column has nearly one of our names.
        """
        if near := misspelt(sorted(self.columns)):
            option = ",".join(f"{ours}={name}" for ours, name in near.items())
            raise InputFileError(
                f"{file}: {', '.join(f'`{name}`' for name in near.values())} would not be read: "
                f"read it with --map {shlex.quote(option)}"
            )
        for name in self._numbers_that_judge():
            odd = self._spellings[name]
            if odd.total() <= max(1, MOST_UNREAD * self._lines):
                continue
            shown = shown_spellings(odd.most_common(5))
            raise InputFileError(
                f"{file}: `{name}` holds {shown}, which is not a number. "
                f"Where it names a verdict, read it with --map forward={name}; write a percent as "
                f"75{', with --preference 0:100' * (name == 'preference')}, and a decimal comma as "
                "a point"
            )
        for name in ("forward", "backward"):
            spellings = self._spellings[name]
            repeated = [(each, count) for each, count in spellings.most_common() if count > 1]
            if sum(count for _, count in repeated) > MOST_UNREAD * self._lines:
                shown = shown_spellings(repeated[:5])
                raise InputFileError(
                    f"{file}: `{name}` holds {shown}, which names no verdict. Known "
                    f"are {KNOWN}; leave the field empty where there is no verdict"
                )

    def _numbers_that_judge(self) -> Sequence[str]:
        """The columns of numbers that say who is better, where no verdict does."""
        if self.basis() is Basis.PREFERENCE:
            return ("preference",)
        return () if self.columns & {"forward", "backward"} else ("margin", "score_A", "score_B")

    def _with_labels(self, row_id: str, row: EvidenceRow) -> EvidenceRow:
        label = self._known.get(row_id)
        if label is None:
            return row
        self._joined.add(row_id)
        missing = {
            name: value for name, value in label._asdict().items() if getattr(row, name) is None
        }
        return row._replace(**missing)


def _with_outcomes(evidence: Evidence, basis: Basis, *, has_verdicts: bool) -> Evidence:
    """Without verdicts, the preference or the sign of the margin names the candidate."""
    by_preference = basis is Basis.PREFERENCE
    if not by_preference and (has_verdicts or basis is Basis.BOTH_ORDERS):
        return replace(evidence, preferences=np.full(evidence.rows, np.nan))
    towards_b = evidence.preferences - 0.5 if by_preference else -evidence.margins
    codes = np.select(
        [np.isnan(towards_b), towards_b > 0, towards_b < 0],
        [int(Outcome.ERROR), int(Outcome.B), int(Outcome.A)],
        default=int(Outcome.TIE),
    )
    return replace(evidence, forward=codes.astype(np.uint8))


def _unread(column: str, lines: int) -> str:
    counted = count_of(lines, "line, which counts", "lines, which count")
    return f"{column} cannot be read on {counted} without it"
