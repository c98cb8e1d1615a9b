"""Columns that a run would not read although they seem to carry what it needs.

Such a file is refused before anything is paid for, with the `--map` that would read it: a column of
answers under another name would otherwise be left lying, and the candidates paid to answer again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nova_judge.errors import InputFileError
from nova_judge.inputs.column_names import names, plain_name, words_of
from nova_judge.inputs.columns import MISSING, RowColumns, turns_of
from nova_judge.inputs.suggestions import leaves_of, suggested, two_sides
from nova_judge.json_lines import Fault
from nova_judge.recipe.column_map import as_option

_PROSE = 4
"""Words, on average, from which on a column may hold answers whatever it is called."""


def answer_fault(row: RowColumns, fields: Sequence[str]) -> Fault | None:
    """The fault of a row whose candidates would be asked although it seems to hold an answer."""
    for name in _not_read(row, fields):
        if _is_near(name, fields) or (_names_answers(name) and _holds_text(row.values[name])):
            return Fault(
                f"column `{name}` may hold an answer and is not read: see --map, or leave it out "
                f"with {as_option('ignore', name)}",
                name,
            )
    return None


def check_columns(
    rows: Sequence[RowColumns], uri: str, fields: Sequence[str], *, asks: bool
) -> tuple[str, ...]:
    """The columns of the first rows that are not read.

    `fields` are those that the run reads, the first of them needed; `asks`: the candidates will be
    asked. Raises InputFileError where such a column seems to hold what the run needs.
    """
    if not any(row.values for row in rows):
        return ()
    columns = rows[0].map
    unread = tuple(dict.fromkeys(name for row in rows for name in _not_read(row, fields)))
    suspects = _suspects(rows, unread, fields, asks=asks)
    needed = fields[:2] if fields[0] == "query" else fields[:1]
    missing = [f for f in needed if not any(_has(row, f) for row in rows)]
    if not missing and not suspects:
        _check_asked_with(rows, uri, fields, unread)
        return unread
    problems = [f"no column `{columns.path(field)}`" for field in missing]
    if suspects:
        verb = "are" if len(suspects) > 1 else "is"
        problems.append(f"{_listed(suspects)} may hold answers and {verb} not read")
    raise InputFileError(f"{uri}: {', and '.join(problems)}. {suggested(rows, fields, suspects)}")


def _check_asked_with(
    rows: Sequence[RowColumns], uri: str, fields: Sequence[str], unread: Sequence[str]
) -> None:
    """Raise InputFileError where a column holds what belongs to the question under another name."""
    for field, known in names().asked_with.items():
        if field not in fields or any(_has(row, field) for row in rows):
            continue
        for name in unread:
            if plain_name(name) in known and any(_holds_text(row.values.get(name)) for row in rows):
                raise InputFileError(
                    f"{uri}: `{name}` may belong to the question and is not read. Read it with "
                    f"{as_option(field, name)}, or leave it out with {as_option('ignore', name)}"
                )


def _suspects(
    rows: Sequence[RowColumns], unread: Sequence[str], fields: Sequence[str], *, asks: bool
) -> list[str]:
    """Those of the columns that are not read which seem to hold answers."""
    sides = _sides(rows, unread) if asks else set()
    texts = {name for name in unread if any(_holds_text(row.values.get(name)) for row in rows)}
    return [
        name
        for name in unread
        if _is_near(name, fields)
        or name in sides
        or (asks and _names_answers(name) and name in texts)
        or (asks and _is_prose(rows, name))
    ]


def _sides(rows: Sequence[RowColumns], unread: Iterable[str]) -> set[str]:
    """Two columns that are called like two sides, such as `left` and `right`, and hold texts."""
    texts = {
        leaf.path: leaf
        for name in unread
        for leaf in leaves_of(rows[0].values.get(name), name)
        if leaf.text.strip()
    }
    return {path.partition(".")[0] for path in two_sides(texts) or ()}


def _not_read(row: RowColumns, fields: Sequence[str]) -> Iterator[str]:
    read = {row.map.path(field) for field in fields} | set(fields) | {"source"}
    heads = {path.partition(".")[0] for path in read}
    return (name for name in row.values if name not in heads and name not in row.map.ignored)


def _has(row: RowColumns, field: str) -> bool:
    names = (row.map.path(field), field)
    return any(row.at(name) not in (MISSING, None) for name in names)


def _is_near(name: str, fields: Sequence[str]) -> bool:
    """True if a name is one of ours but for case, blanks and signs."""
    plain = plain_name(name)
    return plain in {plain_name(field) for field in fields}


def _names_answers(name: str) -> bool:
    words = words_of(name)
    about = set(words) & names().words_about_answers
    if words and words[-1] in names().answer_words:
        about -= {"model", "models"}  # the output of a model, not the model of an output
    if about:
        return False
    # Not every script parts its words: 模型A回答 holds 回答.
    return any(w in words or (not w.isascii() and w in name) for w in names().answer_words)


def _holds_text(value: object) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, Mapping):
        return any(map(_holds_text, value.values()))
    return isinstance(value, list) and any(map(_holds_text, value))


def _is_prose(rows: Sequence[RowColumns], name: str) -> bool:
    """True if a column holds sentences that differ from row to row."""
    texts = [
        leaf.text
        for row in rows
        for leaf in leaves_of(row.values.get(name), name)
        if not leaf.turns
    ]
    if len(texts) < max(1, len(rows) // 2) or len(set(texts)) * 2 < len(texts):
        return bool(turns_of(rows[0].values.get(name)))
    return sum(len(text.split()) for text in texts) >= _PROSE * len(texts)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns[:8])
