"""Groups of criterion names that mean one criterion.

The judge invents its criteria for each prompt, so one idea comes under many names. The table that
brings them together is data (`data/criterion_groups.json`): it can be read, printed and overridden,
and nothing is grouped that does not stand in it.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from nova_judge.errors import RecipeError
from nova_judge.folders import DATA
from nova_judge.yaml_text import read_yaml

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_TABLE_LIMIT = 1 << 20


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    groups: dict[str, list[str]]
    ignored_words: list[str] = []
    about: str = ""
    updated: str = ""


@dataclass(frozen=True, slots=True)
class CriterionGroups:
    """The table in force: from the words of a name to its group."""

    group_of: Mapping[tuple[str, ...], str]
    ignored: frozenset[str]

    def group(self, name: str) -> str:
        """The group of a criterion name; a name that stands nowhere is its own group."""
        words = _words(name)
        kept = tuple(word for word in words if word not in self.ignored) or words
        for spelled in (words, kept):
            if spelled in self.group_of:
                return self.group_of[spelled]
        return " ".join(kept) or name.strip()

    def overridden(self, table: "_Table") -> "CriterionGroups":
        """This table with another one's groups going first."""
        return CriterionGroups(
            {**self.group_of, **_spellings(table)}, self.ignored | set(table.ignored_words)
        )


@functools.cache
def default_groups() -> CriterionGroups:
    """The table that ships with Nova Judge."""
    content = (DATA / "criterion_groups.json").read_bytes()
    table = msgspec.json.decode(content, type=_Table)
    return CriterionGroups(_spellings(table), frozenset(table.ignored_words))


def load_groups(path: Path | None) -> CriterionGroups:
    """The shipped table, with the groups of a JSON or YAML file going first.

    The file holds `groups: {name: [other names]}` and, if wanted, `ignored_words`. Raises
    RecipeError.
    """
    if path is None:
        return default_groups()
    try:
        if path.stat().st_size > _TABLE_LIMIT:
            raise RecipeError(f"{path}: too large for a table of criterion groups.")
        table = msgspec.convert(_document(path), type=_Table)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path}: not a table of criterion groups ({error}). Write for example:\n"
            "groups:\n  clarity: [readability, clarity_of_explanation]"
        ) from error
    return default_groups().overridden(table)


def _document(path: Path) -> Any:  # noqa: ANN401 (any document; its shape is checked next)
    text = path.read_text(encoding="utf-8")
    return msgspec.json.decode(text) if path.suffix == ".json" else read_yaml(text)


def _spellings(table: _Table) -> dict[tuple[str, ...], str]:
    named = {_words(name): name for name in table.groups}
    return {
        **{_words(alias): name for name, aliases in table.groups.items() for alias in aliases},
        **named,
    }


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))
