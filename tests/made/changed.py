"""Records with one field changed, however deep it lies."""

from typing import TypeVar

import msgspec

Record = TypeVar("Record")


def changed(record: Record, path: str, value: object) -> Record:
    """A copy of a record in which `value` stands at a dotted path, as in `slices.0.rows`.

    A part of the path names a field, a key of a dict, or a place in a tuple.
    """
    name, _, rest = path.partition(".")
    if isinstance(record, tuple):
        parts = list(record)
        parts[int(name)] = changed(parts[int(name)], rest, value) if rest else value
        return tuple(parts)
    if isinstance(record, dict):
        return {**record, name: changed(record[name], rest, value) if rest else value}
    inner = changed(getattr(record, name), rest, value) if rest else value
    return msgspec.structs.replace(record, **{name: inner})
