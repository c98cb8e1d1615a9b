"""Records of estimates as plain data for JSON."""

from typing import Any

import msgspec

from nova_judge.records import Unscored


def plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    """Records become objects under their field names, tuples lists, `Unscored` null."""
    if isinstance(value, Unscored):
        return None
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value
