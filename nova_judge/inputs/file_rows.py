"""The rows of a file in any form, as the JSON that each would be.

A row that cannot be read keeps its line number and says why; what cannot be read at all is refused
with the way to mend it."""

import csv
import io
import json
import re
import shutil
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from nova_judge.errors import InputFileError
from nova_judge.inputs.columns import MISSING, pick
from nova_judge.inputs.formats import FileForm, row_lists, turned_rows, unpacked
from nova_judge.inputs.row_fields import UNREADABLE
from nova_judge.json_lines import lines_of
from nova_judge.parquet import (
    check_expansion,
    columns_in,
    connect_to,
    files_of,
    parquet_error,
    rows_of,
)
from nova_judge.recipe.column_map import as_option
from nova_judge.scratch import scratch_folder

_RULE = re.compile(r":?-{3,}:?")
_MOST_MEANT = 2  # names of so few columns in another order may be meant as they stand
_ZONED = "TIMESTAMP WITH TIME ZONE"
MOST_DOCUMENT_BYTES = 256 * 1024**2
"""Bytes of a JSON array or document, which is held whole; JSON Lines may be of any size."""


class JsonRow(NamedTuple):
    """One row as JSON. `line` counts lines of text, else rows, from 1."""

    line: int
    content: bytes


def read_rows(path: Path, form: FileForm, at: str | None = None) -> Iterator[JsonRow]:
    """Every row of a file of this form; `at` is the path to the rows inside a JSON document.

    Raises InputFileError where the file as a whole cannot be read.
    """
    try:
        if form.kind == "hugging_face":
            yield from _encoded(_saved_rows(path))
        elif form.kind == "parquet":
            yield from _parquet(path, packed=form.packed)
        else:
            with _opened(path, form) as file:
                yield from _text_rows(file, path, form, at)
    except UnicodeDecodeError as error:
        raise InputFileError(_not_in(path, form, error)) from error
    except (OSError, EOFError, zlib.error, parquet_error(), csv.Error, MemoryError) as error:
        raise InputFileError(f"{path} cannot be read as {form}: {error}") from error


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
        raise InputFileError(
            f"{path} begins as {form} and is not JSON: {error}. Several objects in a row "
            f"become lines with `jq -c . {path.name}`; remove commas between them"
        ) from error
    for number, member in enumerate(_rows_of(document, path, at), start=1):
        yield JsonRow(number, json.dumps(member).encode())


def _rows_of(document: Any, path: Path, at: str | None) -> list[Any]:  # noqa: ANN401 - JSON
    if isinstance(document, list):
        return document
    rows = pick(document, at) if at else MISSING
    if isinstance(rows, list):
        return rows
    if turned := turned_rows(document):
        raise InputFileError(f"{path} {turned}")
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
    names = _header(next(filter(any, reader), []))
    if names and names[0].lower() == "sep=":  # Excel's own line before the header
        names = _header(next(filter(any, reader), []))
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        if not any(cells) or _is_rule(cells) or _is_header(cells, names, line):
            continue
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) != len(names):
            reason = f"{len(cells)} columns, where the header names {len(names)}"
            yield JsonRow(line, msgspec.json.encode({UNREADABLE: reason}))
        else:
            given = {name: cell or None for name, cell in zip(names, cells, strict=True)}
            yield JsonRow(line, msgspec.json.encode(given))


def _is_rule(cells: Sequence[str]) -> bool:
    """True for the line below the header of a Markdown table."""
    return all(_RULE.fullmatch(cell.strip()) for cell in cells if cell)


def _is_header(cells: Sequence[str], names: Sequence[str], line: int) -> bool:
    """True for the header of a further file in a joined one; raises csv.Error where it differs."""
    again = [cell.strip().removeprefix("\ufeff") for cell in cells[: len(names)]]
    if again == names:
        return True
    if len(names) > _MOST_MEANT and sorted(again) == sorted(names):
        raise csv.Error(f"line {line} names the columns again, in another order")
    return False


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
        chosen = _readable_columns(columns_in(connection, path))
        if chosen != "*":
            connection.execute("SET TimeZone = 'UTC'")  # the same texts on every machine
        query = f"SELECT {chosen} FROM read_parquet($path)"  # noqa: S608
        result = connection.execute(query, {"path": files_of(path)})
        names = [column[0] for column in result.description]
        yield from _encoded(dict(zip(names, values, strict=True)) for values in rows_of(result))


def _readable_columns(kinds: Mapping[str, str]) -> str:
    """SQL for all columns, times in a zone as texts: to read these duckdb wants pytz."""
    zoned = (
        f'CAST("{quoted}" AS {kind.replace(_ZONED, "VARCHAR")}) AS "{quoted}"'
        for name, kind in kinds.items()
        if _ZONED in kind
        for quoted in (name.replace('"', '""'),)
    )
    replaced = ", ".join(zoned)
    return f"* REPLACE ({replaced})" if replaced else "*"


def _encoded(rows: Iterator[dict[str, Any]]) -> Iterator[JsonRow]:
    for number, row in enumerate(rows, start=1):
        yield JsonRow(number, msgspec.json.encode(_with_texts(row), enc_hook=str))


def _with_texts(value: Any) -> Any:  # noqa: ANN401 - a value of Parquet or Arrow
    """The value with its bytes as the UTF-8 that older writers mean; others hold no text.

    JSON would have them in base64, which reads like an answer.
    """
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {}
    if isinstance(value, dict):
        return {name: _with_texts(part) for name, part in value.items()}
    return [_with_texts(part) for part in value] if isinstance(value, list) else value


def _not_in(path: Path, form: FileForm, error: UnicodeDecodeError) -> str:
    problem = f"{path} is not {form.encoding.removesuffix('-sig').upper()}: {error.reason}"
    if not form.encoding.startswith("utf-8"):
        return problem
    return (
        f"{problem}, so that its letters cannot be distinguished. Spreadsheets on Windows write "
        f"Windows-1252 (Latin-1): `iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}`"
    )


def _saved_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a data set in Arrow streams. Raises InputFileError without pyarrow."""
    try:
        from pyarrow import ipc  # noqa: PLC0415
    except ImportError:
        raise InputFileError(
            f"{path} is a Hugging Face data set, which needs pyarrow: `pip install pyarrow`, or "
            "save it with `to_json` or `to_parquet`"
        ) from None
    state = json.loads((path / "state.json").read_text("utf-8"))
    for entry in state["_data_files"]:
        file = path / Path(entry["filename"]).name
        with file.open("rb") as opened, ipc.open_stream(opened) as stream:
            for batch in stream:
                yield from batch.to_pylist()
