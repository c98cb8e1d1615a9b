"""Rows of a JSON Lines, CSV or Parquet file, one by one, with their line numbers."""

import codecs
import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from nova_judge.errors import InputFileError
from nova_judge.json_lines import Fault, read_lines
from nova_judge.parquet import check_expansion, connect_to, rows_of

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs"}


class Record(NamedTuple):
    """One row; `fields` is an object, or text that says why the line cannot be read."""

    line: int
    fields: dict[str, Any] | str


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file by its suffix: .jsonl, .ndjson, .json (lines), .csv, .parquet; .gz too.

    Blank lines are passed over. Raises InputFileError when the file cannot be read at all.
    """
    if not path.is_file():
        raise InputFileError(f"{path} is not a file: give a .jsonl, .csv or .parquet file")
    suffixes = path.suffixes
    packed = suffixes[-1:] == [".gz"]
    kind = suffixes[-2] if packed and len(suffixes) > 1 else path.suffix
    readers = {".jsonl": _json_lines, ".ndjson": _json_lines, ".json": _json_lines, ".csv": _csv}
    try:
        if kind == ".parquet" and not packed:
            yield from _parquet(path)
        elif kind in readers:
            with gzip.open(path) if packed else path.open("rb") as file:
                if file.peek(2)[:2] in _UTF_16:
                    raise InputFileError(f"{path} is UTF-16 text: save it as UTF-8")
                yield from readers[kind](file)
        else:
            raise InputFileError(f"{path}: expected .jsonl, .csv (either may be .gz) or .parquet")
    except (OSError, EOFError, duckdb.Error, csv.Error) as error:
        raise InputFileError(f"{path} cannot be read: {error}") from error


def _json_lines(file: Iterable[bytes]) -> Iterator[Record]:
    for number, value in read_lines(file, dict[str, Any]):
        yield Record(number, value.reason if isinstance(value, Fault) else value)


def _csv(file: Iterable[bytes]) -> Iterator[Record]:
    csv.field_size_limit(sys.maxsize)
    lines = (line.decode("utf-8-sig", errors="replace") for line in file)
    reader = csv.DictReader(lines, strict=True, restkey="")
    if len(header := reader.fieldnames or ()) == 1:
        for delimiter, name in _OTHER_DELIMITERS.items():
            if delimiter in header[0]:
                raise csv.Error(f"{name} separate its columns: save it with commas")
    for fields in reader:
        if "" in fields or None in fields.values():
            yield Record(reader.line_num, "not as many columns as the header names")
        else:
            yield Record(reader.line_num, dict(fields))


def _parquet(path: Path) -> Iterator[Record]:
    with connect_to(path) as connection:
        check_expansion(connection, path)
        result = connection.execute("SELECT * FROM read_parquet($path)", {"path": str(path)})
        names = [column[0] for column in result.description]
        for number, values in enumerate(rows_of(result), start=1):
            yield Record(number, dict(zip(names, values, strict=True)))
