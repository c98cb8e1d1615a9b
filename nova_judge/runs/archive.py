"""Reads the few files we need out of a judge job's `output.tar.gz`, as hostile input.

Only members whose names follow the container's layout are read, each streamed under caps into a
file that we name; nothing is extracted under a name from the archive. The caps are checked on each
header before a byte of the member is decompressed, because a few megabytes of gzip can hold
gigabytes. A header that claims a large name or extended attributes is refused in the same way.
"""

import gzip
import re
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple, cast

from nova_judge.errors import JudgeJobError

_FOLDER = r"(?:\./)?(?:[^/]+/)*eval[_-]results?/"
_CHUNK: Final = 1 << 16
_LARGEST_HEADER: Final = 1 << 20
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
    """How much an archive may hold. Bytes are counted after decompression."""

    members: int = 10_000
    member_bytes: int = 4 << 30
    total_bytes: int = 6 << 30
    ratio: int = 200
    ratio_free_bytes: int = 64 << 20
    json_bytes: int = 64 << 20


class JudgeFiles(NamedTuple):
    """What a judge job left, as files of ours; each kind is in the order of the archive's names."""

    results: tuple[Path, ...]
    details: tuple[Path, ...]
    inference_output: tuple[Path, ...]
    members: tuple[str, ...]


def read_archive(archive: Path, folder: Path, limits: ArchiveLimits | None = None) -> JudgeFiles:
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
            found = _copy_members(stream, folder, caps)
            stream.drain()
    except _BROKEN as error:
        raise JudgeJobError(
            f"{archive.name}: the judge's archive is damaged or cut off ({error}). "
            "Download it again; if it stays so, the judge job has to run again."
        ) from error
    except (_OverLimitError, RecursionError) as error:  # tarfile recurses from header to header
        raise JudgeJobError(
            f"{archive.name}: {error}. A judge job writes nothing like that; it was not read."
        ) from error
    return found


def only(files: tuple[Path, ...], what: str, found: JudgeFiles) -> Path:
    """The one file of a kind that a judge task writes; raises JudgeJobError with what was found."""
    if len(files) == 1:
        return files[0]
    shown = ", ".join(found.members[:20]) or "nothing"
    more = f" and {len(found.members) - 20} more" if len(found.members) > 20 else ""
    raise JudgeJobError(
        f"The judge's archive holds {len(files)} {what} instead of one. Found: {shown}{more}."
    )


class _OverLimitError(Exception):
    """The archive asks for more than the limits allow."""


class _CappedStream:
    """The decompressed archive: refuses to go past the caps and to hand out much at once."""

    def __init__(self, stream: gzip.GzipFile, packed_bytes: int, limits: ArchiveLimits) -> None:
        by_ratio = max(limits.ratio_free_bytes, packed_bytes * limits.ratio)
        self._end = min(limits.total_bytes, by_ratio)
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_HEADER:
            raise _OverLimitError(f"a header asks for {size} bytes at once")
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def drain(self) -> None:
        """Read to the end, so that gzip compares its checksum; only padding may follow."""
        while chunk := self.read(_CHUNK):
            if chunk.strip(b"\0"):
                raise tarfile.ReadError("a header in the middle cannot be read")

    def _check(self, position: int) -> None:
        if position > self._end + _LARGEST_HEADER:
            raise _OverLimitError(f"it expands to more than {self._end:,} bytes")


def _copy_members(stream: _CappedStream, folder: Path, limits: ArchiveLimits) -> JudgeFiles:
    copied: dict[_Kind, dict[str, Path]] = {kind: {} for kind in _KINDS}
    names: list[str] = []
    with tarfile.open(fileobj=cast(BinaryIO, stream), mode="r:") as tar:
        for member in tar:
            names.append(member.name)
            _check_member(member, len(names), limits)
            if kind := _kind_of(member.name):
                target = folder / f"{kind.stem}-{len(copied[kind])}{kind.suffix}"
                _copy(tar, member, target, limits)
                copied[kind][member.name] = target
    results, details, inference = (
        tuple(path for _, path in sorted(copied[kind].items())) for kind in _KINDS
    )
    return JudgeFiles(results, details, inference, tuple(names))


def _kind_of(name: str) -> _Kind | None:
    if ".." in name.split("/"):
        return None
    return next((kind for kind in _KINDS if kind.pattern.fullmatch(name)), None)


def _check_member(member: tarfile.TarInfo, count: int, limits: ArchiveLimits) -> None:
    if count > limits.members:
        raise _OverLimitError(f"it has more than {limits.members:,} members")
    if member.size > limits.member_bytes:
        raise _OverLimitError(f"{_short(member.name)} claims {member.size:,} bytes")


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, caps: ArchiveLimits) -> None:
    if not member.isreg() or member.issparse():
        raise _OverLimitError(f"{_short(member.name)} is a link or a special file")
    if target.suffix == ".json" and member.size > caps.json_bytes:
        raise _OverLimitError(f"{_short(member.name)} claims {member.size:,} bytes")
    source = cast(IO[bytes], tar.extractfile(member))
    with _new_file(target) as file:
        left = member.size
        while left:
            chunk = source.read(min(left, _CHUNK))
            file.write(chunk)
            left -= len(chunk)


def _new_file(target: Path) -> BinaryIO:
    try:
        return target.open("xb")
    except FileExistsError as error:
        raise JudgeJobError(
            f"{target} already exists. Give each archive a folder of its own."
        ) from error


def _short(name: str) -> str:
    return repr(name if len(name) <= 120 else f"{name[:117]}...")
