"""A rubric read line by line, where its text is not YAML.

Judges write LaTeX into double quotes, apostrophes into single ones, a list or a colon behind
`justification_A:`. Which fields a criterion has is known, so that each line says what it is: a
field, a criterion's name, or more of the text before it. No value is mended.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from nova_judge.records import Unscored

_TEXTS: Final = ("description", "justification_A", "justification_B")
_FIELDS: Final = {name.lower(): name for name in (*_TEXTS, "type", "weight", "score_A", "score_B")}
_NAMES: Final = ("short_name", "name")
OVERALL: Final = "overall_justification"
_LINE = re.compile(r"([ \t]*+(?:- +)?)([\w*\"'`][\w*\"'` -]{0,200}?)[ \t]*+:(?:[ \t]++(.*))?")
_BLOCK = re.compile(r"[|>][+-]?")
_COMMENT = re.compile(r"[ \t]#.*")
_EMPTY = ("", "~", "null")


WrittenFields: TypeAlias = dict[str, str | list[str] | None]
"""A criterion's fields: the lines of a text, a value, or nothing."""


class Lines(NamedTuple):
    """The criteria by name, and what was said of them all."""

    criteria: Mapping[str, Mapping[str, str | None]]
    overall: str


def field_name(written: str) -> str:
    """A field's own spelling: `Score A`, `score-a` and `**score_A**` are `score_A`."""
    plain = re.sub(r"[ -]+", "_", written.strip(" \t*\"'`")).lower()
    return _FIELDS.get(plain, plain)


def rubric_lines(text: str) -> Lines | Unscored:
    """The rubric of a text that begins with the line `criteria:`."""
    reader = _Reader()
    for line in text.split("\n")[1:]:
        reader.read(line)
        if reader.fault is not None:
            return reader.fault
    texts = {name: _joined(fields) for name, fields in reader.criteria.items()}
    return Lines(texts, " ".join(reader.overall))


def _joined(fields: WrittenFields) -> dict[str, str | None]:
    return {
        name: " ".join(value) if isinstance(value, list) else value
        for name, value in fields.items()
    }


class _Reader:
    """State of the reading: the criterion, and the text that a further line belongs to."""

    def __init__(self) -> None:
        self.criteria: dict[str, WrittenFields] = {}
        self.overall: list[str] = []
        self.fault: Unscored | None = None
        self._fields: WrittenFields | None = None
        self._name = ""
        self._indent: int | None = None
        self._more: list[str] = []

    def read(self, line: str) -> None:
        parts = _LINE.fullmatch(line.rstrip())
        indent = len(parts[1].expandtabs(2)) if parts else 0
        key = field_name(parts[2]) if parts else ""
        value = (parts[3] or "").strip() if parts else ""
        if parts and key in _FIELDS.values() and self._fields is not None:
            self._field(self._fields, key, value)
        elif parts and (key in _NAMES or (not value and indent == self._name_indent(indent))):
            name = value if key in _NAMES else parts[2]
            self._criterion(_unquoted(name.strip(" *")))
        elif parts and indent == 0:
            self._fields, self._more = None, self.overall if key == OVERALL else []
            self._more += _text(value)
        else:
            self._more += _text(line.strip())

    def _name_indent(self, indent: int) -> int:
        """Indent of the criteria: that of the first; one at the margin is none."""
        if self._indent is None and indent > 0:
            self._indent = indent
        return self._indent or -1

    def _criterion(self, name: str) -> None:
        if name in self.criteria:
            self.fault = Unscored(f"criterion {name[:60]!r} is named twice")
        self._fields = self.criteria.setdefault(name, {})
        self._name, self._more = name, []

    def _field(self, fields: WrittenFields, key: str, value: str) -> None:
        if key in fields:
            self.fault = Unscored(f"criterion {self._name[:60]!r}: {key} is named twice")
        if key in _TEXTS:
            fields[key] = self._more = _text(value)
            return
        bare = _unquoted(_COMMENT.sub("", value).strip())
        fields[key], self._more = None if bare in _EMPTY else bare, []


def _text(value: str) -> list[str]:
    return [] if not value or _BLOCK.fullmatch(value) else [_unquoted(value)]


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
