"""A file of rows as every command reads it: in whatever form, under whatever names, joined."""

import contextlib
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from nova_judge.errors import InputFileError, NovaJudgeError
from nova_judge.inputs.answers_beside import (
    AnswersBeside,
    Questions,
    name_at,
    readable_rows,
    shared_key,
)
from nova_judge.inputs.columns import MISSING, RowColumns, pick, row_json
from nova_judge.inputs.file_rows import JsonRow, read_rows
from nova_judge.inputs.formats import form_of
from nova_judge.inputs.row_fields import UNREADABLE, columns_of, repeated_key
from nova_judge.json_lines import Fault, decoded, require_lines
from nova_judge.recipe.column_map import OWN_NAMES, ColumnMap, as_option, fields_of
from nova_judge.scratch import scratch_folder
from nova_judge.text import count_of

__all__ = ["read_records"]

Required = TypeVar("Required")

JOINED = "join"
"""The column under which a row of the joined file stands."""


class Opened(NamedTuple):
    """A file as JSON Lines; `notes` say what was understood on the way."""

    path: Path
    notes: tuple[str, ...] = ()


class Record(NamedTuple):
    """One row; `fields` is an object, or text that says why it cannot be read."""

    line: int
    fields: dict[str, Any] | str


@contextlib.contextmanager
def opened(
    path: Path,
    columns: ColumnMap | None = None,
    join: Path | None = None,
    asked_for: Collection[str] = (),
    answers: Mapping[str, Path] | None = None,
) -> Iterator[Opened]:
    """The file itself where it is JSON Lines under our names, else one beside all others.

    `answers`: files with the answers of A or B. Line numbers stay those of the original. Raises
    InputFileError, also where no row has the column of a field that is `asked_for`.
    """
    form = form_of(path)
    asked = columns or OWN_NAMES
    if form.plain and columns is None and join is None and not answers:
        yield Opened(path)
        return
    notes = [] if form.plain else [f"{path.name} is {form}"]
    with scratch_folder() as folder:
        target = Path(folder, f"{path.name.partition('.')[0] or 'rows'}.jsonl")
        with target.open("wb") as file:
            rows = read_rows(path, form, asked.rows)
            other = None if join is None else _Other(join, asked)
            joined = rows if other is None else other.joined(rows)
            beside = [AnswersBeside(path, side, asked) for side, path in (answers or {}).items()]
            for one in beside:
                joined = one.beside(joined)
            found = write_lines(file, joined, asked)
            for one in beside:
                one.require_matches()
            notes += [*(() if other is None else other.notes()), *(one.note() for one in beside)]
        for field in asked_for:
            if field not in found:
                raise InputFileError(
                    f"{path}: no row has `{asked.path(field)}`, which --map names for {field}"
                )
        yield Opened(target, tuple(notes))


class Sink(Protocol):
    """Target that lines are written to."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""


def write_lines(
    file: Sink, rows: Iterable[JsonRow], columns: ColumnMap = OWN_NAMES
) -> frozenset[str]:
    """Write rows as JSON Lines under our names; the mapped fields that some row has.

    Blank lines keep the place of every row, so that messages name the original's lines.
    """
    line, found = 0, set[str]()
    for row in rows:
        content, mapped = _renamed(row.content, columns)
        found.update(mapped)
        file.write(b"\n" * max(0, row.line - line - 1) + content + b"\n")
        line = max(row.line, line + 1)
    return frozenset(found)


def _renamed(content: bytes, columns: ColumnMap) -> tuple[bytes, Collection[str]]:
    """One row's JSON with each mapped column under its field's name, and these fields.

    A faulty line stays as it is.
    """
    row = None if columns == OWN_NAMES else columns_of(content, columns)
    if row is None or isinstance(row, Fault):
        return content, ()
    named = {field: columns.path(field) for field in fields_of(columns)}
    mapped = {f: value for f, path in named.items() if (value := row.at(path)) is not MISSING}
    moved = {path for path in named.values() if path in row.values} | set(columns.ignored)
    moved |= {path.partition(".")[0] for path in named.values()}
    kept = {name: value for name, value in row.values.items() if name not in moved}
    return row_json({**kept, **mapped}), mapped.keys()


def read_records(path: Path, columns: Mapping[str, str] | None = None) -> Iterator[Record]:
    """The rows of a file in any form, one by one, with the columns that a map names.

    `columns` maps a field to its column or path; `rows` leads to the rows of a JSON document.
    Raises InputFileError.

    >>> record = next(read_records(Path("examples/questions.jsonl")))
    >>> record.line, record.fields["id"]
    (1, 'geo-01')
    """
    named = dict(columns or {})
    at = named.pop("rows", None)
    for row in read_rows(path, form_of(path), at):
        record = _record(row)
        if named and isinstance(record.fields, dict):
            fields = record.fields
            picked = {field: pick(fields, path) for field, path in named.items()}
            mapped = {field: value for field, value in picked.items() if value is not MISSING}
            yield Record(record.line, {**fields, **mapped})
        else:
            yield record


def require_records(
    path: Path, kind: type[Required], error: type[NovaJudgeError], form: str = ""
) -> Iterator[Required]:
    """The rows of a file in any form, of which every one must be a `kind`.

    Raises `error` with the file, the first line that is none, why, and the `form` that is expected.
    """
    empty = True
    with readable(path, error) as file:
        for row in require_lines(file, kind, error, form):
            empty = False
            yield row
    if empty:
        raise error(f"{path}: it holds no row. {form}".rstrip())


@contextlib.contextmanager
def readable(path: Path, error: type[NovaJudgeError]) -> Iterator[Path]:
    """The file as JSON Lines, `error` where it is of no form that is read."""
    try:
        with opened(path) as file:
            yield file.path
    except InputFileError as refused:
        raise error(str(refused)) from refused


class _Other:
    """The rows of the joined file by their id, or by their prompt where a file has no ids."""

    def __init__(self, path: Path, columns: ColumnMap) -> None:
        self._path, self._columns = path, columns
        self._rows, self._unreadable = readable_rows(path, columns, columns.rows)
        paths = msgspec.structs.asdict(columns).values()
        self._reads_it = any(str(path).startswith(f"{JOINED}.") for path in paths)
        self._key, self._questions = "", Questions(path, self._rows)
        self._waiting: dict[str, deque[RowColumns]] = {}
        self._counts: Counter[str] = Counter()
        self._matched = self._alone = 0

    def joined(self, rows: Iterable[JsonRow]) -> Iterator[JsonRow]:
        """Every row with the other file's row of the same id, in the order of both files."""
        for row in rows:
            columns = columns_of(row.content, self._columns)
            if isinstance(columns, Fault):
                yield row
                continue
            other = self._match(columns)
            if other is None:
                self._alone += 1
                yield row
                continue
            self._matched += 1
            self._questions.compare(columns, other)
            beside = {JOINED: other.values} if self._reads_it else {}
            joined = {**other.values, **columns.values, **beside}
            yield JsonRow(row.line, row_json(joined))

    def notes(self) -> Iterator[str]:
        """Notes on what was matched, and what was not."""
        left = sum(map(len, self._waiting.values()))
        yield (
            f"joined with {self._path.name} by `{self._key}`: {count_of(self._matched, 'row')} "
            f"matched, {self._alone:,} have no row there, {left:,} of its rows were not used"
            f"{self._questions.note()}{self._unreadable}"
        )
        if repeated := sum(count > 1 for count in self._counts.values()):
            yield (
                f"{repeated:,} values of `{self._key}` stand more than once in {self._path.name}: "
                "such rows are matched in the order of both files"
            )

    def _match(self, row: RowColumns) -> RowColumns | None:
        if not self._key:
            self._key = shared_key(row, self._rows, self._columns) or ""
            if not self._key:
                raise InputFileError(
                    f"{self._path} cannot be joined: both files need `{self._columns.path('id')}` "
                    f"or `{self._columns.path('prompt')}`; say which column it is, as in "
                    f"{as_option('id', 'COLUMN')}"
                )
            for other in self._rows:
                name = name_at(other, self._key)
                self._counts[name] += 1
                self._waiting.setdefault(name, deque()).append(other)
        waiting = self._waiting.get(name_at(row, self._key))
        return waiting.popleft() if waiting else None


_decoder = msgspec.json.Decoder(dict[str, Any])


def _record(row: JsonRow) -> Record:
    value = decoded(row.content, _decoder)
    if isinstance(value, Fault):
        return Record(row.line, value.reason)
    if repeated := repeated_key(row.content, tuple(value)):
        return Record(row.line, repeated.reason)
    return Record(row.line, str(value[UNREADABLE]) if UNREADABLE in value else value)


_FORM = 'A line is {"id": "…", "forward": "A>B", "backward": "B>A"}; null for no verdict.'


class RecordedLine(msgspec.Struct):
    """The labels of one row's two orders, and perhaps the texts; `backward` speaks of B, A."""

    id: str | int
    forward: str | None = None
    backward: str | None = None
    forward_output: str | None = None
    backward_output: str | None = None


class RecordedVerdicts:
    """Verdicts that a judge gave elsewhere; rows of one id are matched in both files' order."""

    def __init__(self, file: Path, error: type[NovaJudgeError]) -> None:
        if not file.is_file():
            raise error(f"{file}: there is no such file of recorded verdicts.")
        self._error, self._file = error, file
        self._lines: dict[str, list[RecordedLine]] = defaultdict(list)
        for line in require_records(file, RecordedLine, error, _FORM):
            self._lines[str(line.id)].append(line)

    def of(self, row: str | None, place: int, prompt: str) -> RecordedLine:
        """The line of a row; `place` counts earlier rows of its id. Raises the file's error."""
        lines = self._lines.get(row, []) if row is not None else []
        if not lines:
            raise self._error(
                f"{self._file}: no verdict is recorded for row {row!r} (prompt {prompt[:60]!r}):"
                " the recorded judge finds rows by `id`."
            )
        if place >= len(lines):
            raise self._error(
                f"Id {row!r} stands more than once in the input, and {len(lines)} times in the"
                " record: rows of one id are matched in the order of both files, one by one."
            )
        return lines[place]
