"""What one shard of the input file holds: rows and rejected lines, numbered within the shard."""

from collections.abc import Iterable

import msgspec

from nova_judge.inputs.dataset import AnswerSources, parse_line, shard_lines
from nova_judge.inputs.shards import Shard
from nova_judge.records import InputRow, Rejected


class ShardRows(msgspec.Struct, frozen=True):
    """Usable rows and rejected lines of one shard; `lines` counts all lines, blank ones too."""

    lines: int
    rows: tuple[InputRow, ...]
    rejected: tuple[Rejected, ...]

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


def decode_shard_rows(content: bytes) -> ShardRows:
    """The record that `ShardRows.encode` wrote."""
    return msgspec.json.decode(content, type=ShardRows)


def read_shard(chunks: Iterable[bytes], shard: Shard, sources: AnswerSources) -> ShardRows:
    """Read a shard's own lines from `chunks` (see `shard_lines`)."""
    rows: list[InputRow] = []
    rejected: list[Rejected] = []
    lines = 0
    for line in shard_lines(chunks, shard):
        lines = line.number
        found = parse_line(line, sources)
        if isinstance(found, InputRow):
            rows.append(found)
        elif isinstance(found, Rejected):
            rejected.append(found)
    return ShardRows(lines, tuple(rows), tuple(rejected))
