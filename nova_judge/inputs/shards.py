"""Byte ranges of one input file, cut without reading it.

The rule that makes the ranges exact whatever the lines are: a shard owns the lines that *begin* in
`[start, end)`. Its reader therefore skips to the first line that begins at or after `start`, and
reads the last line to its end, beyond `end` if need be. A shard inside one long line owns nothing.
"""

from collections.abc import Iterator

import msgspec

__all__ = ["cut"]

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
