"""Answers of a candidate in a file of their own, put beside the rows that they answer."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nova_judge.errors import InputFileError
from nova_judge.inputs.columns import MISSING, RowColumns, row_json, text_of, whole_number
from nova_judge.inputs.file_rows import JsonRow, read_rows
from nova_judge.inputs.formats import form_of
from nova_judge.inputs.row_fields import columns_of
from nova_judge.json_lines import Fault
from nova_judge.recipe.column_map import ColumnMap, as_option
from nova_judge.text import count_of

_MOST_NAMED = 5


class Questions:
    """The questions of a file, which a match of its rows by id must not contradict."""

    def __init__(self, path: Path, rows: Iterable[RowColumns]) -> None:
        self._path = path
        self._asked = {_question(row) for row in rows}
        self._others = 0

    def compare(self, row: RowColumns, other: RowColumns) -> None:
        """Count a match with another question.

        Raises InputFileError where the row's own question stands there under another id: ids that
        count the rows of two orders match every answer with a question that it does not answer.
        """
        here, there = _question(row), _question(other)
        if None in (here, there) or here == there:
            return
        if here in self._asked:
            raise InputFileError(
                f"{self._path}: the ids contradict the questions: that of {str(here)[:80]} is "
                f"there the id of {str(there)[:80]}. Match by the questions: "
                f"{as_option('ignore', row.map.path('id'))}"
            )
        self._others += 1

    def note(self) -> str:
        """The end of a note; empty where every match has the same question."""
        counted = count_of(self._others, "matched row has", "matched rows have")
        return f"; {counted} another question there" if self._others else ""


def _question(row: RowColumns) -> str | None:
    value = row.find("prompt")
    return None if value is MISSING else row_json(value).decode()


class AnswersBeside:
    """The answers of one side (A or B), found by `id` where both files have ids, else by `prompt`.

    A row of the file holds the answer in `response`, or in the side's own column.
    """

    def __init__(self, path: Path, side: str, columns: ColumnMap) -> None:
        self._path, self._field, self._columns = path, f"response_{side}", columns
        if not path.is_file():
            raise InputFileError(
                f"{path}: there is no such file; the answers of candidate {side} lie beside the "
                "input file"
            )
        self._rows, self._unreadable = readable_rows(path, columns, None)
        self._key, self._answers = "", dict[str, str]()
        self._questions, self._matches = Questions(path, self._rows), dict[str, RowColumns]()
        self._several, self._used = set[str](), set[str]()
        self._found = self._without = 0

    def beside(self, rows: Iterable[JsonRow]) -> Iterator[JsonRow]:
        """Every row, with its answer where there is exactly one."""
        for row in rows:
            read = columns_of(row.content, self._columns)
            if isinstance(read, Fault):
                yield row
                continue
            if read.at(self._field) not in (MISSING, None):
                raise InputFileError(
                    f"line {row.line}: the input brings `{self._field}`, and {self._path.name} "
                    "does too: leave one of them out"
                )
            answer = self._answer_of(read)
            if answer is None:
                self._without += 1
                yield row
                continue
            self._found += 1
            joined = {**read.values, self._field: answer}
            yield JsonRow(row.line, row_json(joined))

    def note(self) -> str:
        """What was matched, what was not, and what could not be told apart."""
        unused = len(self._answers.keys() - self._used)
        note = (
            f"{self._path.name} by `{self._key}`: "
            f"{count_of(self._found, 'row has its', 'rows have their')} "
            f"{self._field} there, {self._without:,} have none, "
            f"{count_of(unused, 'answer belongs', 'answers belong')} to no row"
        )
        if self._several:
            named = ", ".join(sorted(self._several)[:_MOST_NAMED])
            note += f"; {len(self._several):,} with several answers are left out: {named}"
        return note + self._questions.note() + self._unreadable

    def require_matches(self) -> None:
        """Raise InputFileError where there are answers and no row has one."""
        if self._without and not self._found and not self._several:
            there, here = min(self._answers), min(self._used)
            raise InputFileError(
                f"{self._path}: none of its answers belongs to a row: its `{self._key}` is such as "
                f"{there!r}, that of the input such as {here!r}"
            )

    def _answer_of(self, row: RowColumns) -> str | None:
        if not self._key:
            self._key = shared_key(row, self._rows, self._columns) or ""
            if not self._key:
                raise InputFileError(
                    f"{self._path}: its answers cannot be told apart: both files need "
                    f"`{self._columns.path('id')}` or `{self._columns.path('prompt')}`"
                )
            self._index()
        name = name_at(row, self._key)
        self._used.add(name)
        if name in self._answers:
            self._questions.compare(row, self._matches[name])
        return self._answers.get(name)

    def _index(self) -> None:
        for row in self._rows:
            name, answer = name_at(row, self._key), self._text(row)
            if answer is None:
                continue
            self._matches.setdefault(name, row)
            if self._answers.setdefault(name, answer) != answer:
                self._several.add(name)
        if not self._answers:
            columns = ", ".join(sorted({name for row in self._rows for name in row.values}))
            raise InputFileError(
                f"{self._path}: no row holds an answer in `response` or `{self._field}`; its "
                f"columns are {columns}: rename the one with the answers{self._unreadable}"
            )
        for name in self._several:
            del self._answers[name]

    def _text(self, row: RowColumns) -> str | None:
        named = ((name, row.values.get(name)) for name in (self._field, "response"))
        texts = (text_of(value, name) for name, value in named if value is not None)
        return next((text for text in texts if isinstance(text, str)), None)


def readable_rows(path: Path, columns: ColumnMap, at: str | None) -> tuple[list[RowColumns], str]:
    """The rows of a file that can be read, and what to say of its other lines.

    `at`: path to the rows of a JSON document.
    """
    rows, faults = list[RowColumns](), list[str]()
    for row in read_rows(path, form_of(path), at):
        read = columns_of(row.content, columns)
        if isinstance(read, RowColumns):
            rows.append(read)
        else:
            faults.append(f"line {row.line}: {read.reason}")
    if not faults:
        return rows, ""
    return rows, f"; {len(faults):,} of its lines cannot be read, the first at {faults[0]}"


def shared_key(row: RowColumns, others: Sequence[RowColumns], columns: ColumnMap) -> str | None:
    """The column by which rows of two files are matched: of ids, else of prompts, in both.

    One that is left out matches nothing.
    """
    paths = (columns.path("id"), columns.path("prompt"))
    held = (p for p in paths if p not in columns.ignored and row.at(p) is not MISSING)
    return next((path for path in held if any(o.at(path) is not MISSING for o in others)), None)


def name_at(row: RowColumns, path: str) -> str:
    """The value by which a row is matched, as text."""
    value = row.at(path)
    return whole_number(row_json(None if value is MISSING else value).decode().strip('"'))
