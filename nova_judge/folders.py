"""Folders that ship with the code."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Of the repository; in a function, of what was deployed with it."""

DATA = ROOT / "nova_judge" / "data"
RECIPES = ROOT / "recipes"
