"""Reads the `metrics` column of the details: a Python dict written out as text.

Two paths give the same result. The safe path is `ast.literal_eval` with what the container needs
beside it (numpy scalars, `nan`). The fast path is a set of anchored patterns built from the key
order of rows that the safe path has read: the order is nowhere documented, so it is learnt, not
assumed. A row that fits no pattern goes the safe path.
"""

import ast
import functools
import itertools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from nova_judge.pairs.safe_literal import STRING, RowMetrics, read_safe
from nova_judge.records import Unscored

Scalar: TypeAlias = str | float | bool | list[str] | None
Field: TypeAlias = tuple[str, Callable[[str], Scalar]]
Convert: TypeAlias = Callable[[str, RowMetrics], Any]

# With no escape but \n, \t, \' and \" in the text, a quote ends its string unless a backslash
# stands before it, and the matcher can run over the rest at its greatest speed.
_QUICK = r"""(?:'[^']*+(?:(?<=\\)'[^']*+)*+'|"[^"]*+(?:(?<=\\)"[^"]*+)*+")"""
# A comma or a bracket follows in every pattern, so that nothing has to look ahead for an end.
_NUMBER = r"-?+(?:[1-9][0-9]{0,17}+|0)(?:\.[0-9]{1,25}+)?+(?:e[+-]?+[0-9]{1,3}+)?+"
_PLAIN = rf"(?:{_NUMBER}|True|False|None|nan)"
_STRING = re.compile(STRING)
_EXACT: Final[dict[str, Scalar]] = {"True": True, "False": False, "None": None, "nan": math.nan}
_NOT_PLAIN_ESCAPE = re.compile(r"\\(?![nt'\"])")
_ODD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*+\\[^nrt'\"\\]")
_SHAPES_KEPT = 8
_KEYS_LEARNT = 64  # a pattern has a part per key, and takes long to build with thousands
_ROWS_KEPT = 1 << 16
_ENDS_KEPT = 1 << 10  # what stands before and after the table may hold whole texts


class MetricsReader:
    """Reads many rows of one job.

    `fields` limits what is returned, at both levels of the dict. `convert(name, row)` replaces each
    row of the table inside the dict; with few fields, equal rows are converted only once.
    """

    def __init__(self, fields: Iterable[str] | None = None, convert: Convert | None = None) -> None:
        self._fields = None if fields is None else frozenset(fields)
        self._convert = convert or _as_it_is
        self._quick: list[_Shape] = []
        self._careful: list[_Shape] = []

    def read(self, text: str) -> RowMetrics | Unscored:
        """The dict that `text` spells: the same value as `read_safe`, sooner."""
        for shape in self._shapes_for(text):
            if (metrics := shape.read(text)) is not None:
                return metrics
        safe = read_safe(text)
        if isinstance(safe, Unscored):
            return safe
        self._learn(safe)
        return self._kept(safe)

    def _shapes_for(self, text: str) -> "Sequence[_Shape]":
        if "\n" in text or "\r" in text or "\0" in text:
            return ()
        if _NOT_PLAIN_ESCAPE.search(text) is None:
            return self._quick
        return () if _ODD_ESCAPE.search(text) else self._careful

    def _learn(self, metrics: RowMetrics) -> None:
        if len(self._quick) < _SHAPES_KEPT and _has_shape(metrics):
            self._quick.append(_Shape(metrics, self._fields, self._convert, _QUICK))
            self._careful.append(_Shape(metrics, self._fields, self._convert, STRING))

    def _kept(self, metrics: RowMetrics) -> RowMetrics:
        kept = _only(metrics, self._fields)
        for key, value in kept.items():
            if _is_table(value):
                kept[key] = {
                    name: self._convert(name, _only(row, self._fields))
                    for name, row in value.items()
                }
        return kept


class _Shape:
    """The patterns for one order of keys: scalars and lists, with at most one table among them."""

    def __init__(
        self, metrics: RowMetrics, fields: frozenset[str] | None, convert: Convert, string: str
    ) -> None:
        keys = list(metrics)
        tables = [key for key in keys if isinstance(metrics[key], dict)]
        self._table = tables[0] if tables else None
        self._keeps_table = fields is None or self._table in fields
        split = keys.index(tables[0]) if tables else len(keys)
        head = {key: metrics[key] for key in keys[:split]}
        tail = {key: metrics[key] for key in keys[split + 1 :]}
        row = next(iter(metrics[tables[0]].values())) if tables else {}
        read_head, read_row, read_tail = (
            _read_runs if fields else functools.partial(_read, _fields(part))
            for part in (head, row, tail)
        )
        # With few fields, most rows of the table are equal; with all of them, none is.
        rows, ends = (_ROWS_KEPT, _ENDS_KEPT) if fields else (0, 0)
        self._heads, self._tails = _Kept(read_head, ends), _Kept(read_tail, ends)
        self._rows = _Kept(functools.partial(_converted, convert, read_row), rows)
        body = [_items(head, fields, string)] if head else []
        opening = ", ".join([*body, *(f"{_key(key)}: {{" for key in tables)])
        self._head = re.compile(r"\{" + opening + ("" if tables else r"\}\Z"))
        self._row = re.compile(rf"({string}): \{{{_items(row, fields, string)}\}}(?:, )?+")
        closing = ", " + _items(tail, fields, string) if tail else ""
        self._tail = re.compile(r"\}" + closing + r"\}\Z")

    def read(self, text: str) -> RowMetrics | None:
        """The dict, or None when the text does not fit these patterns."""
        head = self._head.match(text)
        if head is None:
            return None
        metrics = dict(self._heads[head.groups()])
        return metrics if self._table is None else self._with_table(metrics, text, head.end())

    def _with_table(self, metrics: RowMetrics, text: str, position: int) -> RowMetrics | None:
        table: dict[str, Any] = {}
        match, rows = self._row.match, self._rows
        count = 0
        while row_match := match(text, position):
            name, row = rows[row_match.groups()]
            table[name] = row
            position = row_match.end()
            count += 1
            if text[position - 1] == "}":
                break
        tail = self._tail.match(text, position)
        if tail is None or text[position - 1] != "}" or len(table) != count:
            return None
        if self._keeps_table and self._table is not None:
            metrics[self._table] = table
        metrics.update(self._tails[tail.groups()])
        return metrics


class _Kept(dict[tuple[str, ...], Any]):
    """What tokens stand for: read when they are first asked for, and kept up to a limit."""

    def __init__(self, read: Callable[[tuple[str, ...]], Any], limit: int) -> None:
        super().__init__()
        self._read = read
        self._limit = limit

    def __missing__(self, tokens: tuple[str, ...]) -> Any:  # noqa: ANN401 (as `read` returns)
        value = self._read(tokens)
        if len(self) < self._limit:
            self[tokens] = value
        return value


def _converted(
    convert: Convert, read: Callable[[Sequence[str]], RowMetrics], tokens: tuple[str, ...]
) -> tuple[str, Any]:
    """A row of the table, named; the tokens are its name and its values."""
    name = _string(tokens[0])
    return name, convert(name, read(tokens[1:]))


def _as_it_is(_: str, row: RowMetrics) -> RowMetrics:
    return row


def _only(metrics: RowMetrics, fields: frozenset[str] | None) -> RowMetrics:
    return {key: value for key, value in metrics.items() if fields is None or key in fields}


def _read(fields: Sequence[Field], values: Sequence[str]) -> RowMetrics:
    return {key: read(value) for (key, read), value in zip(fields, values, strict=True)}


def _read_runs(runs: Sequence[str]) -> RowMetrics:
    """The dict that some items spell; as they fit a pattern, they are readable."""
    items = read_safe("{" + ", ".join(runs) + "}")
    return {} if isinstance(items, Unscored) else items


def _fields(example: RowMetrics) -> list[Field]:
    """Each key with the function that reads its token, chosen by the example's type."""
    return [(key, _reader(value)) for key, value in example.items()]


def _reader(example: object) -> Callable[[str], Scalar]:
    if isinstance(example, str):
        return _string
    return _strings if isinstance(example, list) else _plain


def _items(example: RowMetrics, kept: frozenset[str] | None, string: str) -> str:
    """The pattern of `'key': value, ...`; captured are all values, or runs of the kept items."""
    if kept is None:
        return ", ".join(
            f"{_key(key)}: ({_pattern(value, string)})" for key, value in example.items()
        )
    runs = itertools.groupby(example.items(), lambda item: item[0] in kept)
    patterns = (
        (is_kept, ", ".join(f"{_key(key)}: {_pattern(value, string)}" for key, value in run))
        for is_kept, run in runs
    )
    return ", ".join(f"({pattern})" if is_kept else pattern for is_kept, pattern in patterns)


def _pattern(example: object, string: str) -> str:
    if isinstance(example, str):
        return string
    return rf"\[(?:{string}(?:, {string})*+)?\]" if isinstance(example, list) else _PLAIN


def _key(key: str) -> str:
    return re.escape(repr(key))


def _string(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    if _NOT_PLAIN_ESCAPE.search(token) is None:
        text = token[1:-1].replace("\\n", "\n").replace("\\t", "\t")
        return text.replace("\\'", "'").replace('\\"', '"')
    return str(ast.literal_eval(token))


def _strings(token: str) -> list[str]:
    return [_string(item) for item in _STRING.findall(token)]


@functools.lru_cache(maxsize=1 << 14)
def _plain(token: str) -> Scalar:
    if token in _EXACT:
        return _EXACT[token]
    return float(token) if "." in token or "e" in token else int(token)


def _has_shape(metrics: RowMetrics) -> bool:
    """True if patterns can be built: values are scalars, lists of texts and at most one table."""
    tables = [value for value in metrics.values() if isinstance(value, dict)]
    if len(tables) > 1 or not all(_is_table(table) and table for table in tables):
        return False
    rows = [metrics, *(row for table in tables for row in table.values())]
    if any(len(row) > _KEYS_LEARNT for row in rows):
        return False
    return all(isinstance(key, str) for key in metrics) and all(
        value is None
        or isinstance(value, str | int | float | dict)
        or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        for row in rows
        for value in row.values()
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(row, dict) and all(isinstance(key, str) for key in row)
        for name, row in value.items()
    )
