"""The settings that a recipe states: those that differ from their defaults."""

from typing import Any

import msgspec
from msgspec import UNSET

__all__ = ["stated"]


def stated(record: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record that differ from their defaults, written out or not.

    >>> from nova_judge.recipe.recipe import Budget
    >>> stated(Budget(max_usd=20))
    {'max_usd': 20}
    """
    fields = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if value is UNSET or value in (field.default, {}):
            continue
        if isinstance(value, dict):
            value = {key: stated(each) for key, each in value.items()}
        fields[field.name] = stated(value) if isinstance(value, msgspec.Struct) else value
    return fields
