"""The forms in which people keep rows, recognised by their content.

JSON Lines, JSON arrays and documents, comma-, semicolon- or tab-separated tables, Parquet, any of
these in gzip, and a Hugging Face data set saved to disk. What is in gzip is unpacked under a cap: a
few megabytes can hold gigabytes.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, TypeAlias, cast

from nova_judge.errors import InputFileError
from nova_judge.parquet import has_rows

__all__ = ["form_of"]

MOST_BYTES_PER_BYTE: Final = 200
FREE_BYTES: Final = 64 << 20
"""Unpacked bytes that every file may have, however well it is packed."""
FileFormat: TypeAlias = Literal["lines", "array", "document", "table", "parquet", "hugging_face"]
HEAD_BYTES = 1 << 16

_GZIP = b"\x1f\x8b"
_LOOK_AT = 20
_FEW = 2
_LINES = "as one JSON object per line, as pandas does with `to_json(orient='records', lines=True)`"
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_PAGE = "perhaps a page or an error in place of the file: fetch the file again"
_REFUSED = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV UTF-8",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first (`zstd -d FILE`)",
    b"BZh": "packed with bzip2: unpack it first (`bunzip2 FILE`)",
    b"\xfd7zXZ": "packed with xz: unpack it first (`unxz FILE`)",
    b"ARROW1": "an Arrow file: save the data set with `save_to_disk`, or as Parquet",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV UTF-8",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself (`git lfs pull`)",
    b"<?xml": f"XML, {_PAGE}",
    b"<!DOCTYPE": f"HTML, {_PAGE}",
    b"<!doctype": f"HTML, {_PAGE}",
    b"<html": f"HTML, {_PAGE}",
}


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


class FileForm(NamedTuple):
    """Form of a file. `encoding` is a codec of Python, `delimiter` that of a table."""

    kind: FileFormat
    packed: bool = False
    encoding: str = "utf-8"
    delimiter: str = ""

    @property
    def plain(self) -> bool:
        """True if the file is JSON Lines in UTF-8 and can be read where it lies."""
        return self.kind == "lines" and not self.packed and self.encoding.startswith("utf-8")

    def __str__(self) -> str:
        names = {"lines": "JSON Lines", "array": "a JSON array", "document": "a JSON document"}
        names |= {"parquet": "Parquet", "hugging_face": "a Hugging Face data set"}
        name = names.get(self.kind, f"a table separated by {_DELIMITERS.get(self.delimiter, '')}")
        codec = "" if self.encoding.startswith("utf-8") else f" in {self.encoding.upper()}"
        return f"{name}{codec}{', unpacked from gzip' if self.packed else ''}"


def form_of(path: Path) -> FileForm:
    """The form of a file by its first bytes. Raises InputFileError for one that is not read.

    >>> from pathlib import Path
    >>> form_of(Path("examples/questions.jsonl")).kind
    'lines'
    """
    if path.is_dir() and has_rows(path):
        return FileForm("parquet")
    if _is_saved(path):
        return FileForm("hugging_face")
    if path.parts and path.parts[0] in ("s3:", "http:", "https:"):
        raise InputFileError(
            f"{'/'.join((path.parts[0], '', *path.parts[1:]))} is an address: fetch the file first"
        )
    if not path.is_file():
        raise InputFileError(f"{path} is not a file: give the path of a file of rows")
    try:
        with path.open("rb") as file:
            return form_of_head(file.read(HEAD_BYTES), str(path), whole=_ends(file))
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}") from error


def form_of_head(head: bytes, name: str, *, whole: bool) -> FileForm:
    """The form of a file that begins with `head`; `whole`: there is nothing behind it."""
    if head.startswith(_GZIP):
        inside = unpacked_head(head, name, HEAD_BYTES)
        if inside.startswith(_GZIP):
            raise InputFileError(f"{name} is packed in gzip twice: unpack it first (`gunzip`)")
        return form_of_head(inside, name, whole=len(inside) < HEAD_BYTES)._replace(packed=True)
    if not head.strip():
        raise InputFileError(f"{name} is empty: write one JSON object per line, or a table")
    if head.startswith(b"PAR1"):
        return FileForm("parquet")
    for magic, what in _REFUSED.items():
        if head.startswith(magic):
            raise InputFileError(f"{name} is {what}")
    encoding = _encoding_of(head)
    text = head.decode(encoding, "ignore").strip()
    if not text.isprintable() and "\x00" in text[:1000]:
        raise InputFileError(f"{name} is not text: give JSON Lines, JSON, CSV or Parquet")
    return _text_form(text, encoding, whole=whole)


def _text_form(text: str, encoding: str, *, whole: bool) -> FileForm:
    lines = [line for line in text.splitlines()[:_LOOK_AT] if line.strip()]
    kind = _kind_of(text, lines, whole=whole)
    if kind != "table":
        return FileForm(kind, encoding=encoding)
    delimiter = max(_DELIMITERS, key=lines[0].count)
    return FileForm(kind, encoding=encoding, delimiter=delimiter if delimiter in lines[0] else ",")


def _kind_of(text: str, lines: Sequence[str], *, whole: bool) -> FileFormat:
    objects = [line for line in lines if line.lstrip().startswith("{")]
    if whole and len(lines) == 1 and objects and _holds_rows(text):
        return "document"
    if text.startswith("[") and not (len(lines) > 1 and _parses(lines[0])):
        return "array"
    if text.startswith("{") and len(lines) > 1 and lines[0].rstrip()[-1] in "{[,:":
        return "document"
    if any(map(_is_object, objects)):
        return "lines"
    if text.startswith("{") and len(lines) > 1 and not lines[0].rstrip().endswith("}"):
        return "document"
    too_long_for_a_header = len(lines) == 1 and not whole
    return "lines" if objects or too_long_for_a_header or not lines else "table"


def _is_object(line: str) -> bool:
    return line.lstrip().startswith("{") and _parses(line)


def _parses(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _holds_rows(text: str) -> bool:
    """True if one object on one line is a document: rows inside it, and none itself."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if turned_rows(document):
        return True
    return "prompt" not in document and "query" not in document and bool(row_lists(document))


def row_lists(document: object, path: str = "", depth: int = 3) -> Iterator[tuple[str, int]] | Any:  # noqa: ANN401
    """The paths to lists of objects in a JSON document, with their lengths."""
    lists: list[tuple[str, int]] = []
    if isinstance(document, dict) and depth:
        for name, value in document.items():
            inside = f"{path}.{name}" if path else str(name)
            if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
                if not {"role", "content"} <= value[0].keys():
                    lists.append((inside, len(value)))
            else:
                lists += row_lists(value, inside, depth - 1)
    return lists


def turned_rows(document: object) -> str:
    """How a document holds rows that no path leads to, with the cure; empty where it does not."""
    if not isinstance(document, dict) or len(document) < _FEW:
        return ""
    values = list(document.values())
    if document.keys() >= {"columns", "data"} and isinstance(document["columns"], list):
        return f"holds the names of its columns apart from its rows: save it {_LINES}"
    if all(isinstance(value, dict) and value for value in values):
        if len({tuple(value) for value in values}) == 1:
            return (
                "holds its rows as the values of one object: "
                "`jq -c 'to_entries[] | .value + {id: .key}' FILE > FILE.jsonl` makes lines of them"
            )
    elif all(isinstance(value, list) and len(value) >= _FEW for value in values):
        parts = [part for value in values for part in value]
        if len({len(value) for value in values}) == 1 and not any(
            isinstance(part, dict) for part in parts
        ):
            return f"holds its rows column by column: save it {_LINES}"
    return ""


def _encoding_of(head: bytes) -> str:
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            return encoding
    sample = head[:2_000]
    zeros = [sample[place::4].count(0) / max(1, len(sample[place::4])) for place in range(4)]
    wide = [share > 0.6 for share in zeros]
    if wide == [False, True, True, True]:
        return "utf-32-le"
    if wide == [True, True, True, False]:
        return "utf-32-be"
    if wide == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if wide == [True, False, True, False] else "utf-8"


def _ends(file: BinaryIO) -> bool:
    return not file.read(1)


def _is_saved(path: Path) -> bool:
    """True for a folder as `save_to_disk` leaves it; raises InputFileError for several splits."""
    if not path.is_dir():
        return False
    if (path / "dataset_dict.json").is_file():
        splits = json.loads((path / "dataset_dict.json").read_text("utf-8")).get("splits", [])
        raise InputFileError(
            f"{path} holds the splits {', '.join(map(str, splits))}: name one, as in "
            f"{path / str((splits or ['train'])[0])}"
        )
    if not (path / "state.json").is_file():
        raise InputFileError(
            f"{path} is a folder: give a file of rows, a folder with Parquet files, or a saved "
            "data set"
        )
    return True
