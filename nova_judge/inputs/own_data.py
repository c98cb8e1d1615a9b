"""Own data for a model under test: `query` and `response` a line, checked before a job is paid for.

The container takes exactly one file; a broken line there fails the whole job, so that broken lines
are left out here, with their number and reason.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import msgspec

from nova_judge.inputs.columns import (
    MISSING,
    asked_by,
    question_about,
    row_json,
    text_of,
    whole_number,
)
from nova_judge.inputs.dataset import Shard, shard_lines
from nova_judge.inputs.reading import FROM_FILE, OWN_FIELDS, AnswerSources
from nova_judge.inputs.row_fields import columns_of
from nova_judge.json_lines import Fault, Line, shape_fault
from nova_judge.recipe.column_map import OWN_NAMES, ColumnMap
from nova_judge.records import Rejected

FIELDS = '{"query": …, "response": …, "system"?: …, "metadata"?: …}'


class OwnFields(msgspec.Struct):
    """One line of own data."""

    query: str
    response: str
    system: str | None = None
    metadata: str | dict[str, Any] | None = None
    images: list[dict[str, str]] | None = None
    id: str | None = None
    category: str | None = None
    cluster: str | None = None


class OwnRow(NamedTuple):
    """One row of own data that was sent to the container."""

    row: int
    id: str
    prompt: str
    reference: str
    category: str | None = None
    cluster: str | None = None


class OwnLine(NamedTuple):
    """A usable line: the row, and what the container gets of it."""

    row: OwnRow
    sent: bytes


OwnDataForm: TypeAlias = Callable[[OwnFields, OwnRow], bytes]
"""A line as a task of the container reads it."""


def read_own_data(
    chunks: Iterable[bytes], size: int, form: OwnDataForm, columns: ColumnMap = OWN_NAMES
) -> Iterator[OwnLine | Rejected]:
    """The lines of a file of `size` bytes in the form that a task reads; blank ones not."""
    lines = shard_lines(chunks, Shard(index=0, start=0, end=size))
    parsed = (parse_own_line(line, form, columns) for line in lines)
    return (line for line in parsed if line is not None)


def sources_of_own(lines: Iterable[OwnLine | Rejected]) -> AnswerSources | None:
    """Nobody is asked for an answer; None where no line is usable."""
    return FROM_FILE if any(isinstance(line, OwnLine) for line in lines) else None


def parse_own_line(
    line: Line, form: OwnDataForm, columns: ColumnMap = OWN_NAMES
) -> OwnLine | Rejected | None:
    """The row that a line holds, why it cannot be used, or None for a blank line."""
    if line.content is None:
        return Rejected(line.number, "the line is too long")
    if not line.content.strip():
        return None
    fields = _fields_of(line.content, columns)
    if isinstance(fields, Fault):
        return Rejected(line.number, f"{fields.reason}; a line is {FIELDS}", fields.field)
    if not fields.query.strip():
        return Rejected(line.number, "field `query` is empty", "query")
    row = OwnRow(
        row=line.number,
        id=fields.id or f"line-{line.number}",
        prompt=fields.query,
        reference=fields.response,
        category=fields.category,
        cluster=fields.cluster or question_about(_images(fields), fields.query),
    )
    return OwnLine(row, form(fields, row))


def _images(fields: OwnFields) -> str | None:
    return None if fields.images is None else row_json(fields.images).decode()


def _fields_of(content: bytes, columns: ColumnMap) -> OwnFields | Fault:
    row = columns_of(content, columns)
    if isinstance(row, Fault):
        return row
    fields = {f: v for f in OWN_FIELDS if (v := row.find(f)) is not MISSING}
    asked = asked_by(fields["query"], "query") if "query" in fields else None
    if isinstance(asked, Fault):
        return asked
    if asked is not None:
        fields["query"] = asked.prompt
        if asked.system is not None:
            fields.setdefault("system", asked.system)
    if "response" in fields:
        response = text_of(fields["response"], "response")
        if isinstance(response, Fault):
            return response
        fields["response"] = response
    for field in ("id", "category", "cluster"):
        text = text_of(fields.pop(field, None), field)
        if not isinstance(text, Fault):
            fields[field] = text if field == "category" else whole_number(text)
    try:
        return msgspec.convert(fields, OwnFields)
    except msgspec.ValidationError as error:
        return shape_fault(str(error))


def gen_qa_line(fields: OwnFields, _row: OwnRow) -> bytes:
    """A line of `gen_qa.jsonl`: only the documented fields, of which `metadata` is a text.

    An object becomes the JSON that AWS's notebook reads out of the text.
    """
    optional = ("system", "images", "metadata")
    sent: dict[str, Any] = {"query": fields.query, "response": fields.response}
    sent |= {k: v for k in optional if (v := getattr(fields, k)) is not None}
    if isinstance(fields.metadata, dict):
        sent["metadata"] = row_json(fields.metadata).decode()
    return _line(sent)


def rft_eval_line(fields: OwnFields, row: OwnRow) -> bytes:
    """A line as `rft_eval` reads it: one turn of the user and the reference."""
    messages = [{"role": "user", "content": fields.query}]
    if fields.system is not None:
        messages.insert(0, {"role": "system", "content": fields.system})
    sent = {"id": row.id, "messages": messages, "reference_answer": {"text": fields.response}}
    return _line(sent if fields.metadata is None else {**sent, "metadata": fields.metadata})


def _line(sent: object) -> bytes:
    return row_json(sent) + b"\n"
