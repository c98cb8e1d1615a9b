"""Large files of plain judgments, counted by duckdb: what differs is read once, however often.

A million lines of verdicts hold some dozens of different ones. Anything out of the ordinary (an
unusual column, an id that repeats, a line without an object) is left to the reader of single lines,
which says what is wrong and where.
"""

from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from nova_judge.parquet import connect

LEAST_BYTES: Final = 8 << 20
_SUFFIXES = {".jsonl", ".ndjson"}
_TEXTS = ("forward", "backward", "category")
_KNOWN = {"id", *_TEXTS}
_NEVER_TEXT = "JSON"  # duckdb's type of a column that is null throughout
_READ = "read_json($path, format = 'newline_delimited', maximum_object_size = 1048576, {})"


class Repeated(NamedTuple):
    """The fields that some lines have in common, and how many lines have them."""

    fields: dict[str, str | None]
    lines: int


def counted_lines(file: Path) -> list[Repeated] | None:
    """The different lines of a large, plain file without their ids; None for any other file."""
    if file.suffix not in _SUFFIXES or not file.is_file() or file.stat().st_size < LEAST_BYTES:
        return None
    try:
        with connect(memory_limit="200MB", temp_directory="") as connection:
            connection.execute("SET threads = 2")
            return _counted(connection, str(file))
    except duckdb.Error:
        return None


def _counted(connection: duckdb.DuckDBPyConnection, path: str) -> list[Repeated] | None:
    seen = _READ.format("sample_size = -1")
    described = connection.execute(
        f"DESCRIBE SELECT * FROM {seen}",  # noqa: S608 our names
        {"path": path},
    ).fetchall()
    kinds = {str(name): str(kind) for name, kind, *_ in described}
    names = [name for name in _TEXTS if name in kinds]
    plain = all(kinds[name] in ("VARCHAR", _NEVER_TEXT) for name in names)
    if not kinds.keys() <= _KNOWN or not plain or "forward" not in kinds:
        return None
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in kinds)
    read = _READ.format(f"columns = {{{columns}}}")
    listed = ", ".join(names)
    rows = connection.execute(
        f"SELECT {listed}, count(*) FROM {read} GROUP BY ALL ORDER BY ALL",  # noqa: S608 our names
        {"path": path},
    ).fetchall()
    if "id" in kinds:
        named, different = connection.execute(
            f"SELECT count(id), count(DISTINCT hash(id)) FROM {read}",  # noqa: S608 our names
            {"path": path},
        ).fetchall()[0]
        if named != different:
            return None
    repeated = [Repeated(dict(zip(names, row, strict=False)), int(row[-1])) for row in rows]
    verdicts = ("forward", "backward")
    unjudged = any(all(each.fields.get(name) is None for name in verdicts) for each in repeated)
    return None if unjudged else repeated
