"""The input file: JSON Lines in, usable rows and rejected lines out.

A file either brings both answers of every row (`prompt`, `response_A`, `response_B`) or prompts
that the candidates answer. Lines are read one by one with a cap on their length, so that neither a
huge file nor a hostile line grows memory.

Byte ranges of it, the shards, are cut without reading it. The rule that makes them exact whatever
the lines are: a shard owns the lines that *begin* in `[start, end)`. Its reader therefore skips to
the first line that begins at or after `start`, and reads the last line to its end, beyond `end` if
need be. A shard inside one long line owns nothing. Lines are numbered within their shard.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from nova_judge.inputs.columns import RowColumns
from nova_judge.inputs.reading import AS_NAMED, FROM_FILE, GENERATED, AnswerSources, Reading
from nova_judge.inputs.row_fields import brings, columns_of, row_of
from nova_judge.json_lines import BOM, Fault, Line
from nova_judge.recipe.column_map import OWN_NAMES, ColumnMap
from nova_judge.records import CANDIDATES, Candidate, FailedRow, InputRow, Rejected

__all__ = ["cut", "file_brings_answers", "parse_line", "read_rows", "shard_lines"]

MOST_SHARDS = 10_000
"""Children of one Distributed Map run (Step Functions service quota)."""


class Shard(msgspec.Struct, frozen=True):
    """One byte range `[start, end)` of the input file; `index` counts from 0 in file order."""

    index: int
    start: int
    end: int


def cut(size: int, shard_bytes: int, most: int = MOST_SHARDS) -> Iterator[Shard]:
    """Cut `size` bytes into equal ranges of at least `shard_bytes`, at most `most` of them.

    Lazily, so that the plan of any file takes constant memory. An empty file has no shard.

    >>> [(shard.start, shard.end) for shard in cut(10_000, 4_096)]
    [(0, 4096), (4096, 8192), (8192, 10000)]
    """
    if size < 0 or shard_bytes < 1 or most < 1:
        raise ValueError(f"cannot cut {size} bytes into at most {most} shards of {shard_bytes}")
    step = max(shard_bytes, -(-size // most))
    for index, start in enumerate(range(0, size, step)):
        yield Shard(index, start, min(start + step, size))


MAX_LINE_BYTES = 1_048_576
HEAD_BYTES = 1 << 20
MOST_HEAD_BYTES = 32 << 20
ROWS_THAT_DECIDE = 100


def shard_lines(
    chunks: Iterable[bytes], shard: Shard, max_bytes: int = MAX_LINE_BYTES
) -> Iterator[Line]:
    """The lines that begin inside `shard`, numbered from 1 within it.

    `chunks` are the file's bytes from offset `max(shard.start - 1, 0)` on; no more of them is taken
    than needed. The byte before the shard tells whether a line begins at its start.

    >>> data = b'{"prompt": "2 + 2?"}'
    >>> [line.content for line in shard_lines([data], Shard(0, 0, len(data)))]
    [b'{"prompt": "2 + 2?"}']
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
                yield Line(number, _cleaned(content))
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
            # No further line begins in this shard: how far this one goes on does not matter.
            if not foreign:
                yield Line(number + 1, None)
            return
    if length and not foreign:
        content = bytes(kept) if length <= max_bytes else None
        yield Line(number + 1, _cleaned(content))


def _cleaned(content: bytes | None) -> bytes | None:
    return None if content is None else content.removeprefix(BOM).removesuffix(b"\r")


def parse_line(
    line: Line, sources: AnswerSources, reading: Reading = AS_NAMED
) -> InputRow | FailedRow | Rejected | None:
    """The row that a line holds, why it cannot be used, or None for a blank line.

    >>> parse_line(Line(1, b'{"prompt": "2 + 2?"}'), GENERATED).prompt
    '2 + 2?'
    >>> parse_line(Line(2, b'{"question": 1}'), GENERATED).reason
    'field `prompt` is missing'
    """
    if line.content is None:
        return Rejected(line.number, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if not line.content.strip():
        return None
    columns = columns_of(line.content, reading.columns)
    row = columns if isinstance(columns, Fault) else row_of(line.number, columns, sources, reading)
    return Rejected(line.number, row.reason, row.field) if isinstance(row, Fault) else row


def read_rows(
    chunks: Iterable[bytes], size: int, sources: AnswerSources, reading: Reading = AS_NAMED
) -> Iterator[InputRow | FailedRow | Rejected]:
    """The rows and rejected lines of a whole file of `size` bytes; blank ones not.

    >>> data = b'{"prompt": "2 + 2?", "response_A": "4", "response_B": "5"}'
    >>> [row.response_A for row in read_rows([data], len(data), FROM_FILE)]
    ['4']
    """
    lines = shard_lines(chunks, Shard(index=0, start=0, end=size))
    parsed = (parse_line(line, sources, reading) for line in lines)
    return (row for row in parsed if row is not None)


def usable_head(
    read: Callable[[int], bytes], is_usable: Callable[[bytes], bool], least: int = HEAD_BYTES
) -> bytes:
    """The first `least` bytes of a file: more only where they hold no usable row.

    `read(size)` gives the file's first `size` bytes, or all of it.
    """
    head = read(least)
    return head if len(head) < least or is_usable(head) else read(MOST_HEAD_BYTES)


def file_brings_answers(
    head: bytes, columns: ColumnMap = OWN_NAMES, judged: Sequence[Candidate] = CANDIDATES
) -> bool | None:
    """True if the head's first rows carry the answers judged; None where no row is usable.

    The majority decides, so that one broken line cannot turn a whole file into prompts.

    >>> file_brings_answers(b'{"prompt": "2 + 2?", "response_A": "4", "response_B": "5"}')
    True
    >>> file_brings_answers(b'{"prompt": "2 + 2?"}')
    False
    """
    rows = (brings(row, judged) for row in _objects(head, columns))
    decisive = list(itertools.islice((it for it in rows if it is not None), ROWS_THAT_DECIDE))
    return 2 * sum(decisive) >= len(decisive) if decisive else None


def sources_of_file(head: bytes, columns: ColumnMap = OWN_NAMES) -> AnswerSources | None:
    """Both answers stand in the file, or both are generated; None where no row is usable."""
    brings = file_brings_answers(head, columns)
    return None if brings is None else FROM_FILE if brings else GENERATED


def first_rows(head: bytes, columns: ColumnMap) -> list[RowColumns]:
    """The first rows that can be read, as many as decide what a file brings."""
    return list(itertools.islice(_objects(head, columns), ROWS_THAT_DECIDE))


def _objects(head: bytes, columns: ColumnMap) -> Iterator[RowColumns]:
    for line in shard_lines([head], Shard(index=0, start=0, end=len(head))):
        row = columns_of(line.content, columns) if line.content and line.content.strip() else None
        if isinstance(row, RowColumns):
            yield row


class ShardRows(msgspec.Struct, frozen=True):
    """Usable rows and rejected lines of one shard; `lines` counts all lines, blank ones too.

    `failed`: rows that the file brings with the trace of a failed generation for an answer.
    """

    lines: int
    rows: tuple[InputRow, ...]
    rejected: tuple[Rejected, ...]
    failed: tuple[FailedRow, ...] = ()


def read_shard(
    chunks: Iterable[bytes], shard: Shard, sources: AnswerSources, reading: Reading = AS_NAMED
) -> ShardRows:
    """Read a shard's own lines from `chunks` (see `shard_lines`)."""
    parsed = [parse_line(line, sources, reading) for line in shard_lines(chunks, shard)]
    return ShardRows(
        len(parsed),
        tuple(row for row in parsed if isinstance(row, InputRow)),
        tuple(row for row in parsed if isinstance(row, Rejected)),
        tuple(row for row in parsed if isinstance(row, FailedRow)),
    )
