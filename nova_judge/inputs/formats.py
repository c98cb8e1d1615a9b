"""The forms in which people keep rows, recognised by their content and read as JSON Lines.

JSON Lines, JSON arrays and documents, comma-, semicolon- or tab-separated tables, Parquet, any of
these in gzip, and a Hugging Face data set saved to disk. A row that cannot be read keeps its line
number and says why; what cannot be read at all is refused with the way to mend it.
"""

import csv
import io
import json
import shutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, TypeAlias, cast

import duckdb
import msgspec

from nova_judge.errors import InputFileError
from nova_judge.inputs.columns import MISSING, pick
from nova_judge.inputs.hugging_face import is_saved, saved_rows
from nova_judge.inputs.packed import unpacked, unpacked_head
from nova_judge.inputs.row_fields import UNREADABLE
from nova_judge.json_lines import lines_of
from nova_judge.parquet import check_expansion, connect_to, rows_of
from nova_judge.recipe.column_map import as_option
from nova_judge.scratch import scratch_folder

FileFormat: TypeAlias = Literal["lines", "array", "document", "table", "parquet", "hugging_face"]
HEAD_BYTES = 1 << 16
MOST_DOCUMENT_BYTES = 256 * 1024**2
"""Bytes of a JSON array or document, which is held whole; JSON Lines may be of any size."""

_LOOK_AT = 20
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_REFUSED = {
    b"PK\x03\x04": "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV UTF-8",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first (`zstd -d FILE`)",
    b"BZh": "packed with bzip2: unpack it first (`bunzip2 FILE`)",
    b"\xfd7zXZ": "packed with xz: unpack it first (`unxz FILE`)",
    b"ARROW1": "an Arrow file: save the data set with `save_to_disk`, or as Parquet",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV UTF-8",
}


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


class JsonRow(NamedTuple):
    """One row as JSON. `line` counts lines of text, else rows, from 1."""

    line: int
    content: bytes


def form_of(path: Path) -> FileForm:
    """The form of a file by its first bytes. Raises InputFileError for one that is not read."""
    if is_saved(path):
        return FileForm("hugging_face")
    if not path.is_file():
        raise InputFileError(f"{path} is not a file: give the path of a file of rows")
    try:
        with path.open("rb") as file:
            return form_of_head(file.read(HEAD_BYTES), str(path), whole=_ends(file))
    except OSError as error:
        raise InputFileError(f"{path} cannot be read: {error.strerror or error}") from error


def form_of_head(head: bytes, name: str, *, whole: bool) -> FileForm:
    """The form of a file that begins with `head`; `whole`: there is nothing behind it."""
    if head[:2] == b"\x1f\x8b":
        inside = unpacked_head(head, name, HEAD_BYTES)
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


def read_rows(path: Path, form: FileForm, at: str | None = None) -> Iterator[JsonRow]:
    """Every row of a file of this form; `at` is the path to the rows inside a JSON document.

    Raises InputFileError where the file as a whole cannot be read.
    """
    try:
        if form.kind == "hugging_face":
            yield from _encoded(saved_rows(path))
        elif form.kind == "parquet":
            yield from _parquet(path, packed=form.packed)
        else:
            with _opened(path, form) as file:
                yield from _text_rows(file, path, form, at)
    except UnicodeDecodeError as error:
        raise InputFileError(_not_in(path, form, error)) from error
    except (OSError, EOFError, zlib.error, duckdb.Error, csv.Error, MemoryError) as error:
        raise InputFileError(f"{path} cannot be read as {form}: {error}") from error


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
    """True if one object on one line is a document: lists of objects, and no prompt."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
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


def _opened(path: Path, form: FileForm) -> BinaryIO:
    """The file's bytes, unpacked and in UTF-8."""
    file = unpacked(path) if form.packed else path.open("rb")
    if form.encoding.startswith("utf-8"):
        return file
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="")
    return cast(BinaryIO, io.BufferedReader(_Recoded(text), 1 << 20))


class _Recoded(io.RawIOBase):
    """Text of another encoding as bytes in UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer
        if not self._rest:
            self._rest = self._text.read(1 << 18).removeprefix("\ufeff").encode()
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._text.close()
        super().close()


def _text_rows(file: BinaryIO, path: Path, form: FileForm, at: str | None) -> Iterator[JsonRow]:
    if form.kind == "lines":
        yield from (JsonRow(number, content or b"") for number, content in lines_of(file))
    elif form.kind == "table":
        yield from _table(file, form.delimiter)
    else:
        content = file.read(MOST_DOCUMENT_BYTES + 1)
        if len(content) > MOST_DOCUMENT_BYTES:
            raise InputFileError(
                f"{path} is {form} of more than {MOST_DOCUMENT_BYTES >> 20} MB: write one JSON "
                "object per line (`jq -c '.[]' FILE > FILE.jsonl`)"
            )
        yield from _elements(content.removeprefix(b"\xef\xbb\xbf"), path, form, at)


def _elements(content: bytes, path: Path, form: FileForm, at: str | None) -> Iterator[JsonRow]:
    """The members of an array as they stand in it, or of the list that `at` leads to."""
    try:
        if form.kind == "array":
            members = msgspec.json.decode(content, type=list[msgspec.Raw])
            for number, member in enumerate(members, start=1):
                yield JsonRow(number, bytes(member).replace(b"\n", b" ").replace(b"\r", b" "))
            return
    except msgspec.DecodeError:
        pass  # half of a surrogate pair, or NaN: Python reads it, and the row says what is wrong
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path} begins as {form} and is no JSON: {error}") from error
    for number, member in enumerate(_rows_of(document, path, at), start=1):
        yield JsonRow(number, json.dumps(member).encode())


def _rows_of(document: Any, path: Path, at: str | None) -> list[Any]:  # noqa: ANN401 - JSON
    if isinstance(document, list):
        return document
    rows = pick(document, at) if at else MISSING
    if isinstance(rows, list):
        return rows
    lists = [f"`{name}` ({length:,})" for name, length in row_lists(document)]
    if {"data", "version"} <= document.keys() and "paragraphs" in str(document["data"])[:500]:
        raise InputFileError(
            f"{path} is SQuAD's official JSON: `nova-judge prepare squad {path.name}` makes a file "
            "of its questions"
        )
    first = next(iter(row_lists(document)), ("data", 0))[0]
    raise InputFileError(
        f"{path} is one JSON object"
        + (f" with lists of objects in {', '.join(lists[:5])}" if lists else " without a list")
        + f": say where its rows are, as in {as_option('rows', first)}; then say which column "
        "is which"
    )


def _table(file: BinaryIO, delimiter: str) -> Iterator[JsonRow]:
    csv.field_size_limit(sys.maxsize)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    names = _header(next(reader, []))
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        if not any(cells):
            continue
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) != len(names):
            reason = f"{len(cells)} columns, where the header names {len(names)}"
            yield JsonRow(line, msgspec.json.encode({UNREADABLE: reason}))
        else:
            given = {name: cell or None for name, cell in zip(names, cells, strict=True)}
            yield JsonRow(line, msgspec.json.encode(given))


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()  # a comma at the end of every line
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise csv.Error(f"the header names column `{twice}` twice")
    return [name or f"unnamed {place}" for place, name in enumerate(names, start=1)]


def _parquet(path: Path, *, packed: bool) -> Iterator[JsonRow]:
    if packed:
        with scratch_folder() as folder, unpacked(path) as file:
            inside = Path(folder, "rows.parquet")
            with inside.open("wb") as target:
                shutil.copyfileobj(file, target, 1 << 20)
            yield from _parquet(inside, packed=False)
        return
    with connect_to(path) as connection:
        check_expansion(connection, path)
        result = connection.execute("SELECT * FROM read_parquet($path)", {"path": str(path)})
        names = [column[0] for column in result.description]
        yield from _encoded(dict(zip(names, values, strict=True)) for values in rows_of(result))


def _encoded(rows: Iterator[dict[str, Any]]) -> Iterator[JsonRow]:
    for number, row in enumerate(rows, start=1):
        yield JsonRow(number, msgspec.json.encode(row, enc_hook=str))


def _not_in(path: Path, form: FileForm, error: UnicodeDecodeError) -> str:
    problem = f"{path} is not {form.encoding.removesuffix('-sig').upper()}: {error.reason}"
    if not form.encoding.startswith("utf-8"):
        return problem
    return (
        f"{problem}, so that its letters cannot be told apart. Spreadsheets on Windows write "
        f"Windows-1252 (Latin-1): `iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}`"
    )
