"""Folders that ship with the code."""

from pathlib import Path
from typing import Final

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
