"""A file of labels beside judgments: what people said of the same ids, in any form that is read."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nova_judge.errors import InputFileError
from nova_judge.findings.judgment_fields import (
    Fields,
    LabelledRow,
    UnusableFieldsError,
    misspelt,
)
from nova_judge.inputs.input_file import read_records
from nova_judge.inputs.label_words import KNOWN
from nova_judge.text import count_of


class LabelsRead(NamedTuple):
    """Rows of a file of labels by id, and the fields that cannot be read, by how many lines."""

    rows: dict[str, LabelledRow]
    lost: Counter[str]


def read_labels(path: Path) -> LabelsRead:
    """The rows of a file of labels, categories or lengths.

    Raises InputFileError where a line has no id or two labels, or where no line has anything that
    can be read, with what stands there.
    """
    labels: dict[str, LabelledRow] = {}
    lost: Counter[str] = Counter()
    spellings: Counter[str] = Counter()
    columns: dict[str, None] = {}
    for line, fields in read_records(path):
        try:
            if isinstance(fields, str):
                raise UnusableFieldsError(fields)
            columns |= dict.fromkeys(fields)
            if near := misspelt(fields):
                raise UnusableFieldsError(
                    f"`{next(iter(near.values()))}` is read under the name `{next(iter(near))}` "
                    "alone: rename the column"
                )
            read = Fields(fields)
            row_id, label = read.text("id"), read.labelled()
            lost.update(field for field, _ in dict.fromkeys(read.lost))
            spellings.update(it.shown for it in read.lost if it.field == "label")
        except UnusableFieldsError as unusable:
            raise InputFileError(f"{path}, line {line}: {unusable}") from None
        if row_id is None:
            raise InputFileError(f"{path}, line {line}: labels need an `id` in every line")
        if labels.setdefault(row_id, label).label != label.label:
            raise InputFileError(f"{path}, line {line}: id {row_id} has two labels")
    if labels and all(value is None for row in labels.values() for value in row):
        raise InputFileError(f"{path}: {_nothing(spellings, list(columns))}")
    return LabelsRead(labels, lost)


def _nothing(spellings: Counter[str], columns: list[str]) -> str:
    """Reason why a file of labels says nothing."""
    if spellings:
        shown = shown_spellings(spellings.most_common(5))
        return f"`label` holds {shown}, which names no verdict. Known are {KNOWN}"
    names = ", ".join(f"`{name}`" for name in columns[:20])
    return f"no line has a `label`, a `category` or a length. Its columns are {names}: rename one"


def shown_spellings(spellings: Sequence[tuple[str, int]]) -> str:
    """Texts that cannot be read, each with the number of its lines."""
    return ", ".join(f"{each} ({count_of(lines, 'line')})" for each, lines in spellings)
