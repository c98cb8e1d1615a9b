"""The settings that a recipe states: those that differ from their defaults."""

from typing import Any

import msgspec
from msgspec import UNSET


def stated(record: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record that differ from their defaults, written out or not."""
    fields = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if value is UNSET or value in (field.default, {}):
            continue
        if isinstance(value, dict):
            value = {key: stated(each) for key, each in value.items()}
        fields[field.name] = stated(value) if isinstance(value, msgspec.Struct) else value
    return fields
