"""Contents of one shard of the input file: rows and rejected lines, numbered within the shard."""

from collections.abc import Iterable

import msgspec

from nova_judge.inputs.dataset import parse_line, shard_lines
from nova_judge.inputs.reading import AS_NAMED, AnswerSources, Reading
from nova_judge.inputs.shards import Shard
from nova_judge.records import FailedRow, InputRow, Rejected


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
