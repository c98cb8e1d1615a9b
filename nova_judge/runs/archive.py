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
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from nova_judge.errors import JudgeJobError

_FOLDER = r"(?:\./)?(?:[^/]+/)*eval[_-]results?/"
_CHUNK: Final = 1 << 16
_GZIP: Final = b"\x1f\x8b"
_LARGEST_HEADER: Final = 1 << 14
_EXTENDED_BYTES: Final = 1 << 20
_LONGEST_NAME: Final = 4096  # as PATH_MAX
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OverflowError, ValueError)


class _Kind(NamedTuple):
    """One kind of file that is read: the names it may have, and the name it gets."""

    pattern: re.Pattern[str]
    stem: str
    suffix: str


_KINDS = (
    _Kind(re.compile(_FOLDER + r"results_[^/]*\.json"), "results", ".json"),
    _Kind(
        re.compile(_FOLDER + r"details/(?:[^/]+/)*details_[^/]*\.parquet"), "details", ".parquet"
    ),
    _Kind(re.compile(_FOLDER + r"inference_output\.jsonl"), "inference", ".jsonl"),
)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits on the contents of an archive. Bytes are counted after decompression."""

    members: int = 10_000
    member_bytes: int = 4 << 30
    total_bytes: int = 6 << 30
    ratio: int = 200
    ratio_free_bytes: int = 64 << 20
    json_bytes: int = 64 << 20


class ArchivedFiles(NamedTuple):
    """Files that a judge job left; each kind is in the order of the archive's names."""

    results: tuple[Path, ...]
    details: tuple[Path, ...]
    inference_output: tuple[Path, ...]
    members: tuple[str, ...]


def is_archive(path: Path) -> bool:
    """True if a file begins as a gzip archive does; nothing of it is unpacked to find out."""
    with path.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def read_archive(archive: Path, folder: Path, limits: ArchiveLimits | None = None) -> ArchivedFiles:
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


def only(files: tuple[Path, ...], what: str, members: tuple[str, ...]) -> Path:
    """The one file of a kind that a judge task writes; raises JudgeJobError with what was found."""
    if len(files) == 1:
        return files[0]
    shown = ", ".join(members[:20]) or "nothing"
    more = f" and {len(members) - 20} more" if len(members) > 20 else ""
    raise JudgeJobError(
        f"The judge's archive holds {len(files)} {what} instead of one. Found: {shown}{more}."
    )


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


def _copy_members(stream: _CappedStream, folder: Path, limits: ArchiveLimits) -> ArchivedFiles:
    copied: dict[_Kind, dict[str, Path]] = {kind: {} for kind in _KINDS}
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
    results, details, inference = (
        tuple(path for _, path in sorted(copied[kind].items())) for kind in _KINDS
    )
    return ArchivedFiles(results, details, inference, tuple(names))


def _kind_of(name: str) -> _Kind | None:
    if ".." in name.split("/"):
        return None
    return next((kind for kind in _KINDS if kind.pattern.fullmatch(name)), None)


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
