"""One line's JSON as a row: every field found, read as text, and checked."""

import functools
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from nova_judge.inputs.columns import (
    MISSING,
    ConversationPrompt,
    Decimal,
    RowColumns,
    asked_by,
    question_about,
    text_of,
    whole_number,
)
from nova_judge.inputs.failed_answers import failure_of
from nova_judge.inputs.label_words import read_label
from nova_judge.inputs.reading import FIELDS, OWN_FIELDS, AnswerSources, Reading
from nova_judge.inputs.unread_columns import answer_fault
from nova_judge.json_lines import Fault, decoded
from nova_judge.recipe.column_map import OWN_NAMES, ColumnMap
from nova_judge.records import CANDIDATES, Candidate, FailedRow, Failure, InputRow, Verdict

UNREADABLE = "nova-judge: unreadable"
"""The key under which a converted file says why a row of the original cannot be read."""

_ASKED = ("system", "context")  # a row without them would be another question
_FEW_NAMES = 100  # more of them are sought slower than a line is parsed
_PLAIN_NAMES = re.compile(r"[ !#-.0-\[\]-~]*")  # ASCII without what is written with a backslash
_ESCAPED_ASCII, _ESCAPED = re.compile(rb"\\u00[2-7]"), re.compile(rb"\\")
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def columns_of(content: bytes, columns: ColumnMap) -> RowColumns | Fault:
    """The object of one line; a key of ours that stands twice is a fault."""
    row = decoded(content, _decoder)
    if isinstance(row, Fault):
        return row
    if UNREADABLE in row:
        return Fault(str(row[UNREADABLE]))
    return repeated_key(content, _names_read(columns)) or RowColumns(row, columns)


def brings(row: RowColumns, judged: Sequence[Candidate] = CANDIDATES) -> bool | None:
    """True if a row carries the answers judged; None where it has no prompt that can be used."""
    asked = asked_by(row.find("prompt"), "prompt")
    if isinstance(asked, Fault) or not asked.prompt.strip():
        return None
    answers = (row.find(f"response_{candidate}") for candidate in judged)
    return all(answer is not MISSING for answer in answers)


def row_of(
    line: int, row: RowColumns, sources: AnswerSources, reading: Reading
) -> InputRow | FailedRow | Fault:
    """The row, or the fault for which it cannot be used."""
    asked = _asked(row)
    if isinstance(asked, Fault):
        return asked
    answers = _answers(row, sources)
    if isinstance(answers, Fault):
        return answers
    if "generated" in sources and (fault := answer_fault(row, FIELDS)):
        return fault
    optional = _optional(row)
    if isinstance(optional, Fault):
        return optional
    texts, unreadable = optional
    failures = tuple(
        Failure(candidate, reason, 0, answer[:200])
        for candidate, answer in answers.items()
        if (reason := failure_of(answer, texts=reading.failures)) is not None
    )
    if failures:
        return FailedRow(line, texts.get("id", ""), failures, texts.get("category"))
    label, lost = _label(row.find("label"))
    return InputRow(
        line=line,
        id=texts.get("id", ""),
        prompt=asked.prompt,
        response_A=answers.get("A"),
        response_B=answers.get("B"),
        reference=texts.get("reference"),
        category=texts.get("category"),
        label=label,
        system=texts.get("system", asked.system),
        context=texts.get("context"),
        cluster=texts.get("cluster") or question_about(texts.get("context"), asked.prompt),
        lost=(*unreadable, *lost),
    )


def _asked(row: RowColumns) -> ConversationPrompt | Fault:
    value = row.find("prompt")
    if value is MISSING:
        return Fault("field `prompt` is missing", "prompt")
    asked = asked_by(value, "prompt")
    if isinstance(asked, ConversationPrompt) and not asked.prompt.strip():
        return Fault("field `prompt` is empty", "prompt")
    return asked


def _answers(row: RowColumns, sources: AnswerSources) -> dict[Candidate, str] | Fault:
    answers: dict[Candidate, str] = {}
    for candidate in CANDIDATES:
        name = f"response_{candidate}"
        value = row.find(name)
        source = getattr(sources, candidate)
        if source == "unused":
            continue
        if source == "generated":
            if value is not MISSING:
                return Fault(
                    f"field `{name}` stands in the row, but this run generates it: "
                    "a file brings both answers in every row, or in none",
                    name,
                )
        elif value is MISSING:
            return Fault(f"field `{name}` is missing", name)
        else:
            text = text_of(value, name)
            if isinstance(text, Fault):
                return text
            answers[candidate] = text
    return answers


def _optional(row: RowColumns) -> tuple[dict[str, str], list[str]] | Fault:
    """The optional texts, and the names of those that cannot be read: these cost not the row.

    One that is asked with the question does.
    """
    texts: dict[str, str] = {}
    lost: list[str] = []
    for field in ("id", "category", "reference", "system", "context", "cluster"):
        value = row.find(field)
        if value is MISSING and field == "category":
            value = row._replace(map=OWN_NAMES).find("source")
        if value is MISSING or (field in _ASKED and value in ([], {})):
            continue
        text = _passages(value) if field == "context" else text_of(value, field)
        if isinstance(text, Fault):
            if field in _ASKED:
                return text
            lost.append(field)
        elif field in ("id", "cluster"):
            texts[field] = whole_number(text)
        elif text.strip():
            texts[field] = text
    return texts, lost


def _passages(value: object) -> str | Fault:
    """A context: one text, or several in their order, as a search finds them; null is none."""
    given = [part for part in value if part is not None] if isinstance(value, list) else []
    if given and all(isinstance(part, str) for part in given):
        return "\n\n".join(given)
    return text_of(value, "context")


def _label(value: object) -> tuple[Verdict | None, tuple[str, ...]]:
    if value is MISSING or (isinstance(value, str) and not value.strip()):
        return None, ()
    label = read_label(value) if isinstance(value, str) else None
    return label, () if label is not None else ("label",)


@functools.lru_cache(maxsize=16)
def _names_read(columns: ColumnMap) -> tuple[str, ...]:
    names = (columns.path(field).partition(".")[0] for field in (*FIELDS, *OWN_FIELDS))
    return tuple(dict.fromkeys((*names, *FIELDS, "source")))


@functools.lru_cache(maxsize=16)
def _in_quotes(names: tuple[str, ...]) -> re.Pattern[bytes]:
    """Any of the names in quotes: one pass over a line finds them all."""
    return re.compile(b'"(%s)(?=")' % b"|".join(re.escape(name.encode()) for name in names))


@functools.lru_cache(maxsize=16)
def _escapes(names: tuple[str, ...]) -> re.Pattern[bytes]:
    """Escapes that may hide one of the names from `_in_quotes`."""
    return _ESCAPED_ASCII if _PLAIN_NAMES.fullmatch("".join(names)) else _ESCAPED


def repeated_key(content: bytes, names: tuple[str, ...]) -> Fault | None:
    """The fault of a line in which the first of these keys stands twice.

    Only lines that could have one are parsed again.
    """
    if len(names) <= _FEW_NAMES and not _escapes(names).search(content):
        seen = _in_quotes(names).findall(content)
        if len(seen) == len(set(seen)):
            return None
    duplicates: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:
        times = Counter(key for key, _ in pairs)
        # The outermost object is built last, so its finding is the one that remains.
        duplicates[:] = [name for name in names if times[name] > 1]

    try:
        # Python refuses to convert very long integers; nobody reads these.
        json.loads(content, object_pairs_hook=note, parse_int=str)
    except RecursionError as error:
        return Fault(f"not JSON: {error}")
    if not duplicates:
        return None
    return Fault(f"key `{duplicates[0]}` appears more than once", duplicates[0])
