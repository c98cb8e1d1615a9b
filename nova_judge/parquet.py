"""Files of rows in Parquet: one file, or a folder of that name with the parts of very many rows.

They are read and written through duckdb, always by the same kind of connection.
"""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from nova_judge.text import all_storable

if TYPE_CHECKING:
    import duckdb

_LEAST_ROW_BYTES = 1 << 20
_READ_MEMORY = 96 << 20
_MEMORY_PER_BYTE = 16
_ROWS_AT_ONCE = 2048
_FREE_TEXT_AT_ONCE = 40 << 20
_FREE_TEXT = 1 << 30
_TEXT_PER_BYTE = 100
_WRITTEN = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)"
_OF_ANY_LENGTH = ("VARCHAR", "BLOB", "JSON", "STRUCT", "MAP", "UNION")


def files_of(path: Path) -> list[str]:
    """The file itself, or those of a folder in the order of their names, for `read_parquet`."""
    return sorted(map(str, path.glob("*.parquet"))) if path.is_dir() else [str(path)]


def has_rows(path: Path) -> bool:
    """True if there is a file, or a folder with Parquet files."""
    return path.is_file() or (path.is_dir() and bool(files_of(path)))


def remove_rows(path: Path) -> None:
    """Remove the file, or the folder with its parts, before others take their place."""
    for file in files_of(path):
        Path(file).unlink(missing_ok=True)
    if path.is_dir():
        path.rmdir()


def bytes_of(path: Path) -> int:
    """The size of the file, or of all in the folder."""
    return sum(Path(file).stat().st_size for file in files_of(path))


def changed_at(path: Path) -> int:
    """The time in nanoseconds at which a file of them changed last."""
    return max(Path(file).stat().st_mtime_ns for file in files_of(path))


def connect(**settings: Any) -> "duckdb.DuckDBPyConnection":  # noqa: ANN401 - duckdb's own options
    """A connection that keeps row order, fetches no extension and draws no progress bar."""
    import duckdb  # noqa: PLC0415 - a tenth of a second, which most starts can save

    config = {"threads": 1, "autoinstall_known_extensions": False, **settings}
    connection = duckdb.connect(config=config)
    connection.execute("SET enable_progress_bar = false")
    return connection


def parquet_error() -> type[Exception]:
    """The class of duckdb's errors."""
    import duckdb  # noqa: PLC0415 - see `connect`

    return duckdb.Error


def check_expansion(
    connection: "duckdb.DuckDBPyConnection", path: Path, columns: Collection[str] | None = None
) -> None:
    """Raises duckdb.Error where the texts of a file are far longer than the file itself.

    A kilobyte of Parquet can hold gigabytes, of which duckdb hands out 2,048 rows at a time. Those
    may be so long; all together may be longer, where a judge writes the same to every row.
    """
    files = files_of(path)
    length = _length(columns_in(connection, path), columns)
    query = (
        f'SELECT sum({length}) FROM (SELECT *, row_number() OVER () AS "row, counted" '  # noqa: S608
        f'FROM read_parquet(?)) GROUP BY "row, counted" // {_ROWS_AT_ONCE}'
    )
    sums = [int(total) for (total,) in connection.execute(query, [files]).fetchall()]
    per_byte = _TEXT_PER_BYTE * bytes_of(path)
    if max(sums, default=0) > _FREE_TEXT_AT_ONCE + per_byte or sum(sums) > _FREE_TEXT + per_byte:
        raise _too_long(sum(sums))


def columns_in(connection: "duckdb.DuckDBPyConnection", path: Path) -> dict[str, str]:
    """The columns of a Parquet file with duckdb's types."""
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files_of(path)])
    return {name: kind for name, kind, *_ in described.fetchall()}


def checked_rows(
    connection: "duckdb.DuckDBPyConnection",
    path: Path,
    names: Sequence[str],
    part: range | None = None,
) -> Iterator[Sequence[Any]]:
    """The rows of some columns one by one, None for a column that the file lacks.

    `part`: the numbers of the rows wanted, from 0 on; all where it is None.

    Raises as `check_expansion` does, but reads the file once: only where 2,048 rows as long as one
    of them would be too much is the whole file checked.
    """
    kinds = columns_in(connection, path)
    per_byte = _TEXT_PER_BYTE * bytes_of(path)
    short = (_FREE_TEXT_AT_ONCE + per_byte) // _ROWS_AT_ONCE
    columns = [f'"{name}"' if name in kinds else "NULL" for name in names]
    length = _length(kinds, names)
    guarded = ", ".join(f"CASE WHEN {length} <= {short} THEN {column} END" for column in columns)
    chosen = f" WHERE file_row_number BETWEEN {part[0]} AND {part[-1]}" if part else ""
    query = f"SELECT {guarded}, {length} FROM read_parquet(?){chosen}"  # noqa: S608
    total = 0
    for number, (*values, row_length) in enumerate(
        rows_of(connection.execute(query, [files_of(path)]))
    ):
        total += row_length
        if total > _FREE_TEXT + per_byte:
            raise _too_long(total)
        if row_length > short:
            check_expansion(connection, path, names)
            rest = (
                f"SELECT {', '.join(columns)} "  # noqa: S608
                f"FROM read_parquet(?){chosen} OFFSET {number}"
            )
            yield from rows_of(connection.execute(rest, [files_of(path)]))
            return
        yield values


def _length(kinds: Mapping[str, str], names: Collection[str] | None) -> str:
    """SQL for the bytes that a row's texts have in some columns, or in all."""
    lengths = [
        f'coalesce(strlen("{name}"' + ("" if kind == "VARCHAR" else "::VARCHAR") + "), 0)"
        for name, kind in kinds.items()
        if kind.startswith(_OF_ANY_LENGTH) and (names is None or name in names)
    ]
    return " + ".join(lengths) or "0"


def _too_long(length: int) -> Exception:
    return parquet_error()(
        f"its texts have {length:,} bytes, more than a file of its size may hold"
    )


def connect_to(path: Path, **settings: Any) -> "duckdb.DuckDBPyConnection":  # noqa: ANN401
    """A connection that reads a file which others wrote: memory grows with the file's own size."""
    limit = _READ_MEMORY + _MEMORY_PER_BYTE * bytes_of(path)
    safe = {"temp_directory": "", "autoload_known_extensions": False}
    connection = connect(memory_limit=f"{limit}B", **safe, **settings)
    # For files on this machine, fetching a whole row group ahead costs memory and time.
    connection.execute("SET disable_parquet_prefetching = true")
    return connection


def join_files(paths: Sequence[Path], target: Path) -> None:
    """Write the rows of several files of the same columns into one, in their order."""
    with connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_parquet($paths)) TO $target {_WRITTEN}",  # noqa: S608 (ours)
            {"paths": list(map(str, paths)), "target": str(target)},
        )


def rows_of(result: "duckdb.DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
    """The rows of a result one by one: of long texts, Python holds one row's."""
    return iter(result.fetchone, None)


def write_parquet(
    path: Path, columns: Mapping[str, str], rows: Iterable[Mapping[str, object]]
) -> int:
    """Write rows with these columns (name → duckdb's type), and return how many there are.

    Rows stream through a JSON Lines file beside `path`, so that memory stays flat, and come in
    small groups, because readers hold one at a time and a judge's texts are long. Equal rows in
    equal order give equal bytes.
    """
    with tempfile.TemporaryDirectory(prefix=".parquet-", dir=path.parent) as folder:
        lines = Path(folder, "rows.jsonl")
        written = longest = 0
        with lines.open("wb") as file:
            for row in rows:
                longest = max(longest, file.write(_line(row)))
                written += 1
        with connect() as connection:
            connection.execute(
                "COPY (SELECT * FROM read_json($lines, format = 'newline_delimited', "  # noqa: S608
                "columns = $columns, maximum_object_size = $limit)) "
                f"TO $path {_WRITTEN}",
                {
                    "lines": str(lines),
                    "columns": dict(columns),
                    "limit": max(longest, _LEAST_ROW_BYTES),
                    "path": str(path),
                },
            )
    return written


def _line(row: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # half of a surrogate pair
        return orjson.dumps(all_storable(row), option=orjson.OPT_APPEND_NEWLINE)
