"""The columns of one row: found by name or path, read as text, or refused in words."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from nova_judge.json_lines import Fault
from nova_judge.recipe.column_map import ColumnMap, as_option

__all__ = ["pick", "row_json", "text_of", "whole_number"]

MISSING: Final = object()
_OPENAI_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant"}
_AS_FLOAT = re.compile(r"-?\d{1,15}\.0")
_NO_TEXTS = ("type", "role", "id", "model", "object", "name", "url", "thinking", "signature")
_DEPTH = 6
MOST_DIGITS = 4_000
"""Digits of a number that is read as text; Python refuses to print longer integers."""


class Decimal(str):
    """A number with a point or an exponent, as the file writes it."""

    __slots__ = ()


def row_json(row: object) -> bytes:
    """JSON of a row or of a part of one, its decimal numbers as the file writes them.

    >>> row_json({"share": Decimal("0.50")})
    b'{"share":0.50}'
    """
    return msgspec.json.encode(row, enc_hook=_as_written)


def _as_written(value: object) -> msgspec.Raw:
    if isinstance(value, Decimal):
        return msgspec.Raw(value.encode())
    raise TypeError(f"{type(value).__name__} has no place in a row")


class ConversationPrompt(NamedTuple):
    """Prompt of one conversation: its only question, and the system message before it."""

    prompt: str
    system: str | None


class ConversationTurn(NamedTuple):
    """One turn of a conversation: its speaker in OpenAI's words, and where its text stands.

    text: joined from its parts; None where it holds anything else.
    """

    role: str
    key: str
    text: str | None


class RowColumns(NamedTuple):
    """The columns of one row, and the map by which they are read."""

    values: Mapping[str, Any]
    map: ColumnMap

    def at(self, path: str) -> Any:  # noqa: ANN401 - a JSON value
        """The value in the column, or at the path with dots; MISSING where there is nothing."""
        return pick(self.values, path)

    def find(self, field: str) -> Any:  # noqa: ANN401 - a JSON value
        """The value of a field: from its column, null is missing.

        A row that lacks the column is read under the field's own name, where that name holds
        nothing else.
        """
        path = self.map.path(field)
        value = self.at(path)
        if value is MISSING and path != field and not self.map.takes(field):
            value = self.values.get(field, MISSING)
        return MISSING if value is None else value


def pick(document: object, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """Pick the value in the column, or at the path with dots; MISSING where there is nothing.

    >>> pick({"answers": {"text": ["Paris"]}}, "answers.text.0")
    'Paris'
    """
    if isinstance(document, Mapping) and path in document:
        return document[path]
    value: Any = document
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.lstrip("-").isdigit():
            place = int(step)
            if not -len(value) <= place < len(value):
                return MISSING
            value = value[place]
        else:
            return MISSING
    return value


def text_of(value: object, field: str) -> str | Fault:
    """A text, a number as the file writes it, the only text of a list, or an assistant's turn.

    >>> text_of(["Paris"], "reference"), text_of(42, "reference")
    ('Paris', '42')
    """
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        too_long = isinstance(value, int) and abs(value) >= 10**MOST_DIGITS
        problem = f"field `{field}`: a number of more than {MOST_DIGITS:,} digits"
        return Fault(problem, field) if too_long else str(value)
    if isinstance(value, list):
        turns = turns_of(value)
        return _answer_of(turns, field) if turns else _only_text(value, field)
    if isinstance(value, Mapping):
        inside = _path_inside(value)
        advice = (
            f"; {as_option(field, f'{field}.{inside}')} reads it" if inside else " with no text"
        )
        return Fault(f"field `{field}`: an object{advice}", field)
    shown = "null" if value is None else "true or false"
    return Fault(f"field `{field}`: a text is expected, found {shown}", field)


def question_about(context: str | None, prompt: str) -> str | None:
    """The cluster of a prompt about a context: about another one it is another question."""
    if not context:
        return None
    text = f"{context}\0{prompt}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def whole_number(text: str) -> str:
    """An id as it was before pandas wrote it as a float: 1.0 is 1.

    >>> whole_number("1.0"), whole_number("1.5")
    ('1', '1.5')
    """
    return text.partition(".")[0] if _AS_FLOAT.fullmatch(text) else text


def asked_by(value: object, field: str) -> ConversationPrompt | Fault:
    """A question: a text, or a conversation of one turn of the user."""
    turns = turns_of(value)
    if not turns:
        text = text_of(value, field)
        return text if isinstance(text, Fault) else ConversationPrompt(text, None)
    roles = [turn.role for turn in turns]
    system = [turn.text for turn in turns if turn.role in ("system", "developer")]
    users = [turn.text for turn in turns if turn.role == "user"]
    texts = system + users
    if any(text is None for text in texts):
        return Fault(
            f"field `{field}`: a turn holds more than text, which no judge here reads", field
        )
    if len(users) != 1 or len(system) > 1 or len(texts) != len(turns) or roles[-1] != "user":
        return Fault(
            f"field `{field}`: a conversation of several turns ({', '.join(roles[:6])}), where a "
            f"row is one question: name its turn, as in {as_option(field, f'{field}.0.content')}",
            field,
        )
    return ConversationPrompt(users[0] or "", system[0] if system else None)


def turns_of(value: object) -> tuple[ConversationTurn, ...]:
    """The turns of a conversation, each with a role and a content; none of another value."""
    turns = tuple(map(_turn_of, value)) if isinstance(value, list) else ()
    return () if None in turns else turns  # type: ignore[return-value]


def _turn_of(turn: object) -> ConversationTurn | None:
    if not isinstance(turn, Mapping):
        return None
    openai = {"role", "content"} <= turn.keys()
    if not openai and not {"from", "value"} <= turn.keys():
        return None
    key = "content" if "content" in turn else "value"
    role = str(turn.get("role", turn.get("from"))).lower()
    return ConversationTurn(_OPENAI_ROLES.get(role, role), key, _joined(turn[key]))


def _joined(content: object) -> str | None:
    """A text, or the texts of its parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else None


def _answer_of(turns: Sequence[ConversationTurn], field: str) -> str | Fault:
    roles = [turn.role for turn in turns]
    text = turns[-1].text
    if roles.count("assistant") == 1 and roles[-1] == "assistant" and text is not None:
        return text
    return Fault(
        f"field `{field}`: a conversation ({', '.join(roles[:6])}) in which the answer is not the "
        f"only turn of the assistant: name it, as in {as_option(field, f'{field}.-1.content')}",
        field,
    )


def _is_text_part(part: object) -> bool:
    """True for a text as chat APIs write the parts of a message."""
    if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
        return False
    return str(part.get("type", "text")) in ("text", "input_text", "output_text")


def _path_inside(value: object, depth: int = _DEPTH) -> str | None:
    """The path to the first text that is not the name of a kind, a role or a thing."""
    members: Iterable[tuple[object, object]] = ()
    if depth and isinstance(value, Mapping):
        members = value.items()
    elif depth and isinstance(value, list):
        members = enumerate(value)
    for step, part in members:
        if isinstance(part, str) and part.strip() and step not in _NO_TEXTS:
            return str(step)
        if (inside := _path_inside(part, depth - 1)) is not None:
            return f"{step}.{inside}"
    return None


def _only_text(value: Sequence[object], field: str) -> str | Fault:
    if value and all(map(_is_text_part, value)):
        return _joined(value) or ""
    different = {part for part in value if isinstance(part, str)}
    if len(different) == 1 and all(isinstance(part, str) for part in value):
        return different.pop()
    if not value:
        return Fault(f"field `{field}`: an empty list", field)
    what = f"a list of {len(value)}" if different else "a list without texts"
    inside = "0" if different else _path_inside(value)
    advice = f": {as_option(field, f'{field}.{inside}')} takes the first" if inside else ""
    return Fault(f"field `{field}`: {what}, where one text is read{advice}", field)
