"""Reads the `metrics` column of the details: a Python dict written out as text.

Two paths give the same result. The safe path is `ast.literal_eval` with what the container needs
beside it (numpy scalars, `nan`). The fast path is a set of anchored patterns built from the key
order of rows that the safe path has read: the order is nowhere documented, so it is learnt, not
assumed. A row that fits no pattern goes the safe path.
"""

import ast
import functools
import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from nova_judge.records import Unscored

RowMetrics: TypeAlias = dict[str, Any]
Scalar: TypeAlias = str | float | bool | list[str] | None
Field: TypeAlias = tuple[str, Callable[[str], Scalar]]
Convert: TypeAlias = Callable[[str, RowMetrics], Any]

# With no escape but \n, \t, \' and \" in the text, a quote ends its string unless a backslash
# stands before it, and the matcher can run over the rest at its greatest speed.
_QUICK = r"""(?:'[^']*+(?:(?<=\\)'[^']*+)*+'|"[^"]*+(?:(?<=\\)"[^"]*+)*+")"""
_CAREFUL = r"""(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,25})?(?:e[+-]?[0-9]{1,3})?(?![\w.])"
_PLAIN = rf"(?:{_NUMBER}|True\b|False\b|None\b|nan\b)"
_STRING = re.compile(_CAREFUL)
_STRING_OR_OPEN = re.compile(rf"{_CAREFUL}|['\"][\s\S]*+")
_EXACT: Final[dict[str, Scalar]] = {"True": True, "False": False, "None": None, "nan": math.nan}
_NOT_PLAIN_ESCAPE = re.compile(r"\\(?![nt'\"])")
_ODD_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*+\\[^nrt'\"\\]")
_NUMPY_SCALARS = {"float64", "float32", "int64", "int32", "bool_", "bool", "str_"}
_NAMES = {
    **{"nan": math.nan, "inf": math.inf},
    **{"NaN": math.nan, "Infinity": math.inf, "null": None, "true": True, "false": False},  # JSON's
}

_PLAIN_LIMIT = 1 << 18  # characters: below this, no text makes the parser's tree dangerous
_TEXT_LIMIT = 1 << 24
_SKELETON_LIMIT = 1 << 16  # characters outside string literals
_SHAPES_KEPT = 8
_KEYS_LEARNT = 64  # a pattern has a part per key, and takes long to build with thousands
_ROWS_KEPT = 1 << 16
_ENDS_KEPT = 1 << 10  # what stands before and after the table may hold whole texts

TOO_LONG = Unscored("the metrics of the row are too long to be a judge's")
NOT_A_DICT = Unscored("the metrics of the row are not a readable dict")


def read_safe(text: str) -> RowMetrics | Unscored:
    """The dict that `text` spells, read as a literal and nothing else; never raises."""
    if len(text) > _PLAIN_LIMIT and not _is_mostly_strings(text):
        return TOO_LONG
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in a hostile text are not our warning
            tree = ast.parse(text.strip(" \t\n\r"), mode="eval")
            value = ast.literal_eval(_Literals().visit(tree.body))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return NOT_A_DICT
    return value if isinstance(value, dict) else NOT_A_DICT


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
            self._careful.append(_Shape(metrics, self._fields, self._convert, _CAREFUL))

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
        # With few fields, most rows of the table are equal; with all of them, none is.
        rows, ends = (0, 0) if fields is None else (_ROWS_KEPT, _ENDS_KEPT)
        self._row_of = functools.lru_cache(rows)(
            functools.partial(_converted, convert, _fields(row, fields))
        )
        self._head_of, self._tail_of = (
            functools.lru_cache(ends)(functools.partial(_read, _fields(end, fields)))
            for end in (head, tail)
        )
        body = [_items(head, fields, string)] if head else []
        opening = ", ".join([*body, *(f"{_key(key)}: {{" for key in tables)])
        self._head = re.compile(r"\{" + opening + ("" if tables else r"\}\Z"))
        self._row = re.compile(rf"({string}): \{{{_items(row, fields, string)}\}}(, )?+")
        closing = ", " + _items(tail, fields, string) if tail else ""
        self._tail = re.compile(r"\}" + closing + r"\}\Z")

    def read(self, text: str) -> RowMetrics | None:
        """The dict, or None when the text does not fit these patterns."""
        head = self._head.match(text)
        if head is None:
            return None
        metrics = dict(self._head_of(head.groups()))
        return metrics if self._table is None else self._with_table(metrics, text, head.end())

    def _with_table(self, metrics: RowMetrics, text: str, position: int) -> RowMetrics | None:
        table: dict[str, Any] = {}
        match, row_of = self._row.match, self._row_of
        count, comma = 0, None
        while row_match := match(text, position):
            tokens = row_match.groups()
            name, row = row_of(tokens)
            table[name] = row
            position = row_match.end()
            count += 1
            if (comma := tokens[-1]) is None:
                break
        tail = self._tail.match(text, position)
        if tail is None or count == 0 or comma is not None or len(table) != count:
            return None
        if self._keeps_table and self._table is not None:
            metrics[self._table] = table
        metrics.update(self._tail_of(tail.groups()))
        return metrics


def _converted(
    convert: Convert, fields: Sequence[Field], tokens: tuple[str, ...]
) -> tuple[str, Any]:
    """A row of the table, named; the tokens are its name, its fields and the comma after it."""
    name = _string(tokens[0])
    return name, convert(name, _read(fields, tokens[1:-1]))


def _as_it_is(_: str, row: RowMetrics) -> RowMetrics:
    return row


def _only(metrics: RowMetrics, fields: frozenset[str] | None) -> RowMetrics:
    return {key: value for key, value in metrics.items() if fields is None or key in fields}


def _read(fields: Sequence[Field], values: Iterable[str]) -> RowMetrics:
    return {key: read(value) for (key, read), value in zip(fields, values, strict=True)}


def _fields(example: RowMetrics, kept: frozenset[str] | None) -> list[Field]:
    """Each kept key with the function that reads its token, chosen by the example's type."""
    return [(key, _reader(value)) for key, value in example.items() if kept is None or key in kept]


def _reader(example: object) -> Callable[[str], Scalar]:
    if isinstance(example, str):
        return _string
    return _strings if isinstance(example, list) else _plain


def _items(example: RowMetrics, kept: frozenset[str] | None, string: str) -> str:
    """The pattern of `'key': value, ...`; only the kept values are captured."""
    patterns = []
    for key, value in example.items():
        group = "(" if kept is None or key in kept else "(?:"
        patterns.append(f"{_key(key)}: {group}{_pattern(value, string)})")
    return ", ".join(patterns)


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


def _is_mostly_strings(text: str) -> bool:
    """True if a long text is string content: its tree is then small, however long the strings.

    Triple quotes would let code pass for a string here, and `repr` of a dict seldom writes them.
    """
    if len(text) > _TEXT_LIMIT or "'''" in text or '"""' in text:
        return False
    return len(_STRING_OR_OPEN.sub("", text)) <= _SKELETON_LIMIT


class _Literals(ast.NodeTransformer):
    """Replaces numpy scalars and `nan` by plain numbers; a dict with a key twice is refused."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id in ("np", "numpy")
            and function.attr in _NUMPY_SCALARS
            and len(node.args) == 1
            and not node.keywords
        ):
            return self.visit(node.args[0])  # type: ignore[no-any-return]
        raise ValueError("a call is not a literal")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_NAMES[node.id]) if node.id in _NAMES else node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        if len(set(keys)) != len(node.keys):
            raise ValueError("a key stands twice, or is not a constant")
        return self.generic_visit(node)
