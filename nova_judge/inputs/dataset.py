"""The input file: JSON Lines in, usable rows and rejected lines out.

A file either brings both answers of every row (`prompt`, `response_A`, `response_B`) or prompts
that the candidates answer. Lines are read one by one with a cap on their length, so that neither a
huge file nor a hostile line grows memory.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from nova_judge.errors import InputFileError
from nova_judge.inputs.shards import Shard
from nova_judge.json_lines import BOM, Fault, Line, decoded
from nova_judge.records import CANDIDATES, InputRow, Rejected, Verdict

MAX_LINE_BYTES = 1_048_576
HEAD_BYTES = 1 << 20
MOST_HEAD_BYTES = 32 << 20
ROWS_THAT_DECIDE = 100

_KEYS = (
    *("prompt", "response_A", "response_B", "reference", "id", "category", "source", "label"),
    "cluster",
)
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_LABELS = {
    "A>B": Verdict.A,
    "A": Verdict.A,
    "B>A": Verdict.B,
    "B": Verdict.B,
    "A=B": Verdict.TIE,
    "tie": Verdict.TIE,
}
_FOREIGN_FORMATS = {
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"PAR1": "a Parquet file: export it as JSON Lines",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}


class AnswerSources(NamedTuple):
    """Where each candidate's answers come from: the `file` itself, or they are `generated`."""

    A: Literal["file", "generated"]
    B: Literal["file", "generated"]


FROM_FILE = AnswerSources("file", "file")
GENERATED = AnswerSources("generated", "generated")


class _Fields(msgspec.Struct):
    prompt: str
    response_A: str | None = None
    response_B: str | None = None
    reference: str | None = None
    id: str | int | None = None
    category: str | None = None
    source: str | None = None
    label: str | None = None
    cluster: str | int | None = None


_decoder = msgspec.json.Decoder(_Fields)


def shard_lines(
    chunks: Iterable[bytes], shard: Shard, max_bytes: int = MAX_LINE_BYTES
) -> Iterator[Line]:
    """The lines that begin inside `shard`, numbered from 1 within it.

    `chunks` are the file's bytes from offset `max(shard.start - 1, 0)` on; no more of them is taken
    than needed. The byte before the shard tells whether a line begins at its start.
    """
    start = max(shard.start - 1, 0)
    foreign = shard.start > 0
    kept = bytearray()
    length = 0
    number = 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            length += len(piece)
            if not foreign:
                number += 1
                content = bytes(kept) + piece if length <= max_bytes else None
                yield Line(number, _cleaned(content, first=start == 0))
            start += length + 1
            kept.clear()
            length = 0
            foreign = False
            if start >= shard.end:
                return
        length += len(rest)
        if not foreign and length <= max_bytes:
            kept += rest
        elif start + length >= shard.end:
            # No further line begins in this shard: how far this one goes on is no matter.
            if not foreign:
                yield Line(number + 1, None)
            return
    if length and not foreign:
        content = bytes(kept) if length <= max_bytes else None
        yield Line(number + 1, _cleaned(content, first=start == 0))


def _cleaned(content: bytes | None, *, first: bool) -> bytes | None:
    if content is None:
        return None
    return (content.removeprefix(BOM) if first else content).removesuffix(b"\r")


def parse_line(line: Line, sources: AnswerSources) -> InputRow | Rejected | None:
    """The row that a line holds, why it cannot be used, or None for a blank line."""
    if line.content is None:
        return Rejected(line.number, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if not line.content.strip():
        return None
    fields = _fields_of(line.content)
    if isinstance(fields, Fault):
        return Rejected(line.number, fields.reason, fields.field)
    fault = _fault_in(fields, sources)
    if fault is not None:
        return Rejected(line.number, fault.reason, fault.field)
    return InputRow(
        line=line.number,
        id=str(fields.id) if fields.id is not None else "",
        prompt=fields.prompt,
        response_A=fields.response_A,
        response_B=fields.response_B,
        reference=fields.reference,
        category=fields.category if fields.category is not None else fields.source,
        label=_LABELS[fields.label] if fields.label is not None else None,
        cluster=str(fields.cluster) if fields.cluster is not None else None,
    )


def read_rows(
    chunks: Iterable[bytes], size: int, sources: AnswerSources
) -> Iterator[InputRow | Rejected]:
    """The rows and rejected lines of a whole file of `size` bytes; blank ones not."""
    for line in shard_lines(chunks, Shard(index=0, start=0, end=size)):
        row = parse_line(line, sources)
        if row is not None:
            yield row


def _fields_of(content: bytes) -> _Fields | Fault:
    fields = decoded(content, _decoder)
    if isinstance(fields, Fault):
        return fields
    try:
        duplicate = _duplicate_key(content)
    except RecursionError as error:
        return Fault(f"not JSON: {error}")
    if duplicate is not None:
        return Fault(f"key `{duplicate}` appears more than once", duplicate)
    return fields


def _duplicate_key(content: bytes) -> str | None:
    """The first of our keys that stands twice; only lines that could have one are parsed again."""
    suspicious = _ESCAPED_ASCII.search(content) or any(
        content.count(b'"%s"' % key.encode()) > 1 for key in _KEYS
    )
    if not suspicious:
        return None
    duplicates: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        # The outermost object is built last, so its finding is the one that remains.
        duplicates[:] = [key for key in _KEYS if keys.count(key) > 1]
        return dict(pairs)

    # Python refuses to convert very long integers; nobody reads these.
    json.loads(content, object_pairs_hook=note, parse_int=str)
    return duplicates[0] if duplicates else None


def _fault_in(fields: _Fields, sources: AnswerSources) -> Fault | None:
    if not fields.prompt.strip():
        return Fault("field `prompt` is empty", "prompt")
    for candidate in CANDIDATES:
        name = f"response_{candidate}"
        answer: str | None = getattr(fields, name)
        if getattr(sources, candidate) == "generated":
            if answer is not None:
                return Fault(
                    f"field `{name}` stands in the row, but this run generates it: "
                    "a file brings both answers in every row, or in none",
                    name,
                )
        elif answer is None:
            return Fault(f"field `{name}` is missing", name)
        elif not answer.strip():
            return Fault(f"field `{name}` is empty", name)
    if fields.label is not None and fields.label not in _LABELS:
        allowed = ", ".join(f'"{label}"' for label in _LABELS)
        return Fault(f"field `label` must be one of {allowed}", "label")
    return None


def check_format(head: bytes, uri: str) -> None:
    """Refuse a file that as a whole is not JSON Lines, by its first bytes.

    Raises InputFileError with the format found and how to mend it.
    """
    if not head.strip():
        raise InputFileError(f"{uri} is empty: write one JSON object a line")
    for magic, what in _FOREIGN_FORMATS.items():
        if head.startswith(magic):
            raise InputFileError(f"{uri} is {what}")
    if head.removeprefix(BOM).lstrip().startswith(b"["):
        raise InputFileError(
            f"{uri} begins with `[`: it is one JSON array. Write one JSON object a line "
            "(for example `jq -c '.[]' file.json > file.jsonl`)"
        )


def usable_head(
    read: Callable[[int], bytes], is_usable: Callable[[bytes], bool], least: int = HEAD_BYTES
) -> bytes:
    """The first `least` bytes of a file: more only where they hold no usable row.

    `read(size)` gives the file's first `size` bytes, or all of it.
    """
    head = read(least)
    return head if len(head) < least or is_usable(head) else read(MOST_HEAD_BYTES)


def file_brings_answers(head: bytes) -> bool | None:
    """Whether the head's first rows carry both answers; None where no row is usable.

    The majority decides, so that one broken line cannot turn a whole file into prompts.
    """
    both: list[bool] = []
    for line in shard_lines([head], Shard(index=0, start=0, end=len(head))):
        fields = _fields_of(line.content) if line.content and line.content.strip() else None
        if isinstance(fields, _Fields) and fields.prompt.strip():
            both.append(fields.response_A is not None and fields.response_B is not None)
            if len(both) == ROWS_THAT_DECIDE:
                break
    return 2 * sum(both) >= len(both) if both else None


def sources_of_file(head: bytes) -> AnswerSources | None:
    """Both answers stand in the file, or both are generated; None where no row is usable."""
    brings = file_brings_answers(head)
    return None if brings is None else FROM_FILE if brings else GENERATED
