"""Reads the few files we need out of a judge job's `output.tar.gz`, as hostile input.

Only members whose names follow the container's layout are read, each streamed under caps into a
file that we name; nothing is extracted under a name from the archive. The caps are checked on each
header before a byte of the member is decompressed, because a few megabytes of gzip can hold
gigabytes. Headers have caps of their own: Python's reader of extended attributes and of sparse maps
needs far more memory and time than they have bytes. The stream is read forwards only, so that every
turn uses up bytes and reading ends.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from nova_judge.errors import JudgeJobError
from nova_judge.runs.job_output import (
    DETAILS,
    INFERENCE,
    JUDGED,
    RESULTS,
    FileKind,
    JobOutput,
    output_of,
)

Download: TypeAlias = Callable[[str, Path], None]
"""Copy the object with this key into a file."""

_ARCHIVE = re.compile(r".*/output/output\.tar\.gz")
_OF_CONTAINER = (RESULTS, DETAILS, INFERENCE)
_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_LARGEST_HEADER: Final = 1 << 14
_EXTENDED_BYTES: Final = 1 << 20
_LONGEST_NAME: Final = 4096  # as PATH_MAX
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OverflowError, ValueError)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits on the contents of an archive. Bytes are counted after decompression."""

    members: int = 10_000
    member_bytes: int = 4 << 30
    total_bytes: int = 6 << 30
    ratio: int = 200
    ratio_free_bytes: int = 64 << 20
    json_bytes: int = 64 << 20


def is_archive(path: Path) -> bool:
    """True if a file begins as a gzip archive does; nothing of it is unpacked to find out."""
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def fetch(keys: Iterable[str], download: Download, folder: Path) -> JobOutput:
    """Copy what is needed of a job's output into `folder`: an archive, or plain files."""
    names = sorted(keys)
    folder.mkdir(parents=True, exist_ok=True)
    archive = next((name for name in names if _ARCHIVE.fullmatch(name)), None)
    copied: dict[FileKind, dict[str, Path]] = {}
    for kind in (JUDGED,) if archive else (JUDGED, *_OF_CONTAINER):
        found = filter(kind.pattern.fullmatch, names)
        copied[kind] = {
            name: folder / f"{kind.stem}-{number}{kind.suffix}" for number, name in enumerate(found)
        }
        for name, target in copied[kind].items():
            download(name, target)
    plain = output_of(copied, names)
    if archive is None:
        return plain
    packed = folder / "output.tar.gz"
    download(archive, packed)
    return read_archive(packed, folder / "archive")._replace(judged=plain.judged)


def read_archive(archive: Path, folder: Path, limits: ArchiveLimits | None = None) -> JobOutput:
    """Write the results JSON, details Parquet and inference output of `archive` into `folder`.

    The files are named `results-0.json`, `details-0.parquet`, `inference-0.jsonl` and so on, and
    must not exist yet. Raises JudgeJobError when the archive is damaged, over a limit, or holds
    links or special files where a result should be. Missing files are an empty tuple: what is
    needed differs from task to task.
    """
    folder.mkdir(parents=True, exist_ok=True)
    caps = limits or ArchiveLimits()
    try:
        with archive.open("rb") as packed, gzip.GzipFile(fileobj=packed) as unpacked:
            stream = _CappedStream(unpacked, archive.stat().st_size, caps)
            files = _copy_members(stream, folder, caps)
            stream.drain()
    except _BROKEN as error:
        raise JudgeJobError(
            f"{archive.name}: the judge's archive is damaged or cut off ({error}). "
            "Download it again; if that does not help, the judge job has to run again."
        ) from error
    except _OverLimitError as error:
        raise JudgeJobError(
            f"{archive.name}: {error}. A judge job does not write that, so it was not read."
        ) from error
    return files


class _OverLimitError(Exception):
    """The archive asks for more than the limits allow."""


class _CappedStream:
    """The decompressed archive: goes forwards only, past no cap, and hands out little at once."""

    def __init__(self, stream: gzip.GzipFile, packed_bytes: int, limits: ArchiveLimits) -> None:
        by_ratio = max(limits.ratio_free_bytes, packed_bytes * limits.ratio)
        self._end = min(limits.total_bytes, by_ratio)
        self._stream = stream
        self._header_bytes = 0
        self._extended_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes of a header; what tarfile calls."""
        self._header_bytes += size
        self._extended_bytes += max(size - tarfile.BLOCKSIZE, 0)
        if size < 0 or self._header_bytes > _LARGEST_HEADER:
            raise _OverLimitError(f"a header asks for {size} bytes at once")
        if self._extended_bytes > _EXTENDED_BYTES:
            raise _OverLimitError(f"its headers hold more than {_EXTENDED_BYTES:,} bytes")
        return self._take(size)

    def seek(self, position: int) -> int:
        """Go forwards; what tarfile calls."""
        if position < self._stream.tell():
            raise _OverLimitError("a header points back to what was read already")
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        """Bytes that lie behind."""
        return self._stream.tell()

    def end_header(self) -> None:
        """The next read begins another member's header."""
        self._header_bytes = 0

    def copy(self, size: int, file: BinaryIO) -> None:
        """Write the next `size` bytes to a file."""
        while size > 0:
            chunk = self._take(min(size, _CHUNK))
            if not chunk:
                raise tarfile.ReadError("a member is cut off")
            file.write(chunk)
            size -= len(chunk)

    def drain(self) -> None:
        """Read to the end, so that gzip compares its checksum; only padding may follow."""
        while chunk := self._take(_CHUNK):
            if chunk.strip(b"\0"):
                raise tarfile.ReadError("a header in the middle cannot be read")

    def _take(self, size: int) -> bytes:
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def _check(self, position: int) -> None:
        if position > self._end + _CHUNK:
            raise _OverLimitError(f"it expands to more than {self._end:,} bytes")


def _copy_members(stream: _CappedStream, folder: Path, limits: ArchiveLimits) -> JobOutput:
    copied: dict[FileKind, dict[str, Path]] = {kind: {} for kind in _OF_CONTAINER}
    names: list[str] = []
    with tarfile.open(fileobj=cast(BinaryIO, stream), mode="r:") as tar:
        for member in tar:
            stream.end_header()
            names.append(member.name)
            _check_member(member, len(names), limits)
            if kind := _kind_of(member.name):
                if member.name in copied[kind]:
                    raise _OverLimitError(f"{_short(member.name)} stands in it twice")
                target = folder / f"{kind.stem}-{len(copied[kind])}{kind.suffix}"
                _copy(stream, member, target, limits)
                copied[kind][member.name] = target
    return output_of(copied, names)


def _kind_of(name: str) -> FileKind | None:
    if {"", ".."} & set(name.split("/")):
        return None
    return next((kind for kind in _OF_CONTAINER if kind.pattern.fullmatch(name)), None)


def _check_member(member: tarfile.TarInfo, count: int, limits: ArchiveLimits) -> None:
    if count > limits.members:
        raise _OverLimitError(f"it has more than {limits.members:,} members")
    if len(member.name) > _LONGEST_NAME:
        raise _OverLimitError(f"a name in it has {len(member.name):,} characters")
    if not 0 <= member.size <= limits.member_bytes:
        raise _OverLimitError(f"{_short(member.name)} claims {member.size:,} bytes")


def _copy(
    stream: _CappedStream, member: tarfile.TarInfo, target: Path, limits: ArchiveLimits
) -> None:
    if not member.isreg() or member.issparse():
        raise _OverLimitError(f"{_short(member.name)} is a link or a special file")
    if target.suffix == ".json" and member.size > limits.json_bytes:
        raise _OverLimitError(f"{_short(member.name)} claims {member.size:,} bytes")
    with _new_file(target) as file:
        stream.copy(member.size, file)


def _new_file(target: Path) -> BinaryIO:
    try:
        return target.open("xb")
    except FileExistsError as error:
        raise JudgeJobError(
            f"{target} already exists. Give each archive a folder of its own."
        ) from error


def _short(name: str) -> str:
    return repr(name if len(name) <= 120 else f"{name[:117]}...")
