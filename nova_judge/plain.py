"""Records of estimates as plain data for JSON."""

from typing import Any

from nova_judge.records import Unscored


def plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    """Named tuples become objects under their field names, tuples lists, `Unscored` null."""
    if isinstance(value, Unscored):
        return None
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value
