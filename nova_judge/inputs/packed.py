"""Files in gzip, unpacked under a cap: a few megabytes can hold gigabytes."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from nova_judge.errors import InputFileError

MOST_BYTES_PER_BYTE: Final = 200
FREE_BYTES: Final = 64 << 20
"""Unpacked bytes that every file may have, however well it is packed."""


def unpacked(path: Path) -> BinaryIO:
    """The bytes of a file in gzip; reading raises InputFileError beyond 200 times its size."""
    most = max(FREE_BYTES, MOST_BYTES_PER_BYTE * path.stat().st_size)
    return cast(BinaryIO, io.BufferedReader(_Capped(path, most), 1 << 20))


def unpacked_head(head: bytes, name: str, size: int) -> bytes:
    """The first `size` bytes of what a file in gzip that begins with `head` holds."""
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(head)).read1(size)
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(
            f"{name} is a gzip archive that cannot be unpacked: {error}"
        ) from error


class _Capped(io.RawIOBase):
    """The unpacked bytes of one file, as far as they go."""

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most, self._read = path, most, 0
        self._file = gzip.open(path)  # noqa: SIM115 - closed with this

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer
        taken = self._file.read1(len(buffer))
        self._read += len(taken)
        if self._read > self._most:
            raise InputFileError(
                f"{self._path} unpacks to more than {self._most:,} bytes, {MOST_BYTES_PER_BYTE} "
                "times its size: files of rows do not do that. If it is right, unpack it yourself"
            )
        buffer[: len(taken)] = taken
        return len(taken)

    def close(self) -> None:
        self._file.close()
        super().close()
