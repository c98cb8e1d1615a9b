"""Folders that ship with the code, and the files of `data/` as records."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

DataFile = TypeVar("DataFile")
_PACKAGE: Final = Path(__file__).resolve().parent

ROOT: Final = _PACKAGE.parent
"""Of the repository; in a function, of what was deployed with it."""


def _shipped(name: str) -> Path:
    """A folder that lies beside the package, where users edit it; in the wheel it lies inside."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else ROOT / name


DATA: Final = _PACKAGE / "data"
RECIPES: Final = _shipped("recipes")
SCORERS: Final = _shipped("scorers")


def data_file(name: str, kind: type[DataFile]) -> Callable[[], DataFile]:
    """The function that gives the record in a file of `data/`, which is read once, when needed."""
    return functools.cache(lambda: msgspec.json.decode((DATA / name).read_bytes(), type=kind))
