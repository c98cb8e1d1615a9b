"""`map:` of a recipe, and `--map` of a command: which columns of a file hold what a run reads."""

import itertools
from typing import Any, TypeVar

import msgspec

from nova_judge.errors import RecipeError
from nova_judge.recipe.nova_block import Section, Text
from nova_judge.recipe.shape import read_record

__all__ = ["as_option", "fields_of", "overlaid", "parse_map", "read_twice"]

Columns = TypeVar("Columns", bound=Section)
_SIDES = (
    *itertools.combinations(("prompt", "response_A", "response_B"), 2),
    *itertools.combinations(("forward", "backward", "label"), 2),
    *(("query", "response"), ("score_A", "score_B")),
)
FORM = (
    "write --map FIELD=COLUMN,FIELD=COLUMN, for example --map prompt=question,response_A=output_1"
)


def as_option(field: str, path: str) -> str:
    """The two ways to say where a field is read: for a command, and for a recipe in the inbox.

    >>> as_option("prompt", "question")
    '--map prompt=question (in a recipe: map: {prompt: question})'
    """
    return f"--map {field}={path} (in a recipe: map: {{{field}: {path}}})"


class JudgmentMap(Section, frozen=True, omit_defaults=True):
    """The columns of a file of judgments, as `stats` reads it."""

    id: Text | None = None
    forward: Text | None = None
    backward: Text | None = None
    preference: Text | None = None
    margin: Text | None = None
    score_A: Text | None = None
    score_B: Text | None = None
    label: Text | None = None
    category: Text | None = None
    prompt: Text | None = None
    cluster: Text | None = None
    response_A: Text | None = None
    response_B: Text | None = None
    length_A: Text | None = None
    length_B: Text | None = None
    rows: Text | None = None


class ColumnMap(Section, frozen=True, omit_defaults=True):
    """The column that holds each field; None where it has the field's own name.

    A column is a name, or a path into it with dots: `answers.text.0`, `turns.-1.content`. `rows` is
    the path to the list of rows in a JSON document; `ignore` names columns that are to be left out.
    """

    prompt: Text | None = None
    response_A: Text | None = None
    response_B: Text | None = None
    reference: Text | None = None
    id: Text | None = None
    category: Text | None = None
    label: Text | None = None
    system: Text | None = None
    context: Text | None = None
    cluster: Text | None = None
    query: Text | None = None
    response: Text | None = None
    rows: Text | None = None
    ignore: Text | tuple[Text, ...] = ()

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns that are left out on purpose."""
        return (self.ignore,) if isinstance(self.ignore, str) else self.ignore

    def path(self, field: str) -> str:
        """The column, or the path, that a field is read from."""
        return getattr(self, field, None) or field

    def takes(self, name: str) -> bool:
        """True if another field than that of the name is read from its column, or it is left out.

        >>> ColumnMap(response_A="response_B").takes("response_B")
        True
        """
        named = {field: path for field, path in msgspec.structs.asdict(self).items() if path}
        named.pop("ignore", None)
        others = [path.partition(".")[0] for field, path in named.items() if field != name]
        return name in (*others, *self.ignored)


OWN_NAMES = ColumnMap()


def parse_map(given: str, kind: type[Columns]) -> Columns:
    """`FIELD=COLUMN,…` as a map; `ignore` may stand several times. Raises RecipeError.

    >>> columns = parse_map("prompt=question,response_A=output.0", ColumnMap)
    >>> columns.prompt, columns.response_A
    ('question', 'output.0')
    """
    named: dict[str, Any] = {}
    for part in given.split(","):
        field, equals, column = part.partition("=")
        if not equals or not column.strip():
            raise RecipeError(f"--map {given}: {part!r} names no column; {FORM}")
        if field.strip() == "ignore":
            named["ignore"] = (*named.get("ignore", ()), column)
        elif field.strip() in named:
            raise RecipeError(f"--map {given}: {field.strip()} is named twice")
        else:
            named[field.strip()] = column
    return _apart(read_record(named, kind, file="--map"))


def read_twice(columns: ColumnMap | JudgmentMap) -> str:
    """The problem of a column from which two sides are read, so that they are always the same.

    >>> read_twice(ColumnMap(response_A="output", response_B="output"))
    'response_A and response_B are both read from column `output`'
    """
    for one, other in _SIDES:
        paths = {field: getattr(columns, field, None) for field in (one, other)}
        column = paths[one] or one
        if any(paths.values()) and column == (paths[other] or other):
            return f"{one} and {other} are both read from column `{column}`"
    return ""


def _apart(columns: Columns) -> Columns:
    if isinstance(columns, ColumnMap | JudgmentMap) and (problem := read_twice(columns)):
        raise RecipeError(f"--map: {problem}")
    return columns


def fields_of(columns: ColumnMap) -> tuple[str, ...]:
    """The fields of rows that a map names.

    >>> fields_of(parse_map("prompt=question", ColumnMap))
    ('prompt',)
    """
    named = msgspec.structs.asdict(columns)
    return tuple(name for name, path in named.items() if path and name not in ("rows", "ignore"))


def overlaid(below: ColumnMap, above: ColumnMap | None) -> ColumnMap:
    """The map of a recipe with that of a command laid over it.

    >>> below, above = parse_map("prompt=q", ColumnMap), parse_map("prompt=question", ColumnMap)
    >>> overlaid(below, above).prompt
    'question'
    """
    if above is None:
        return below
    changes = {name: value for name, value in msgspec.structs.asdict(above).items() if value}
    return _apart(msgspec.structs.replace(below, **changes))
