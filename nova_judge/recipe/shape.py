"""Turns a document into a typed record; errors say where, what was found, what is allowed."""

import difflib
import math
import types
import typing
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET

from nova_judge.errors import NovaJudgeError, RecipeError

__all__ = ["did_you_mean", "not_one_of", "read_record", "stated"]

_MOST_PROBLEMS = 50
_LONGEST_WORD = 200
ReadRecord = TypeVar("ReadRecord", bound=msgspec.Struct)


def read_record(
    document: object,
    record: type[ReadRecord],
    *,
    file: str,
    also: Iterable[str] = (),
    error: type[NovaJudgeError] = RecipeError,
    strict: bool = True,
) -> ReadRecord:
    """`document` as `record`; raises `error` naming `file` and every key that is wrong or missing.

    `also`: problems that were found before, to be said with those. `strict=False` reads numbers
    and flags from texts. Where `Meta(description=…)` stands at a type, it is what is expected.

    >>> from nova_judge.recipe.recipe import Budget
    >>> read_record({"max_usd": 20}, Budget, file="mine.yaml").max_usd
    20.0
    """
    problems = [*also, *islice(_problems(document, record, ""), _MOST_PROBLEMS)]
    if len(problems) >= _MOST_PROBLEMS:
        problems.append("and more; these are the first")
    if problems:
        raise error("\n".join(f"{file}: {problem}" for problem in problems))
    try:
        return msgspec.convert(document, record, strict=strict)
    except msgspec.ValidationError as wrong:
        message = _with_key(str(wrong), document, record, strict=strict)
        raise error(f"{file}: {_explained(message, document)}") from None


def did_you_mean(word: object, allowed: Iterable[str]) -> str:
    """`. Did you mean …?` when one of the allowed words is near, else nothing.

    >>> did_you_mean("paiwise", ["pairwise", "rubric"])
    ". Did you mean 'pairwise'?"
    """
    near = difflib.get_close_matches(str(word)[:_LONGEST_WORD], list(allowed), n=1, cutoff=0.6)
    return f". Did you mean {near[0]!r}?" if near else ""


def not_one_of(key: str, word: str, allowed: Iterable[str], also: str = "") -> str:
    """The problem of a word that is none of those allowed; `also` says what else would be.

    >>> not_one_of("pairs", "some", ["all", "against base"])
    "pairs: found 'some'; allowed: all, against base"
    """
    words = list(allowed)
    tail = f" ({also})" if also else ""
    shown = repr(word[:_LONGEST_WORD])
    near = did_you_mean(word, words)
    return f"{key}: found {shown}; allowed: {', '.join(words)}{tail}{near}"


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


def _problems(value: object, kind: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - a type form
    """Unknown and missing keys, words outside a fixed list, at any depth."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{path}: found {value}; expected a finite number{_range(kind)}"
        return
    description = _description(kind)
    if description and not _fits(value, kind):
        yield f"{path}: found {value!r:.80}; expected {description}"
        return
    choices = _choices(kind)
    if choices and isinstance(value, str) and value not in choices:
        yield not_one_of(path, value, choices)
    if isinstance(value, list) and (inside := _inside(kind, (list, tuple), 0)) is not None:
        for place, inner in enumerate(value):
            yield from _problems(inner, inside, f"{path}[{place}]")
        return
    if isinstance(value, dict) and (named := _inside(kind, (dict,), 1)) is not None:
        for key, inner in value.items():
            yield from _problems(inner, named, f"{path}.{key}")
        return
    record = _record(kind)
    if record is None or not isinstance(value, dict):
        return
    at = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(record)}
    missing = [key for key, field in fields.items() if field.required and key not in value]
    yield from (f"{at}{key}: missing" for key in missing)
    for key, inner in value.items():
        where = f"{at}{key}"
        if key in fields:
            yield from _problems(inner, fields[key].type, where)
        else:
            yield (
                f"{where}: unknown key; allowed here: {', '.join(fields)}"
                f"{did_you_mean(key, fields)}"
            )


def _range(kind: Any) -> str:  # noqa: ANN401 - a type form
    """The bounds that `Meta` states for a number, as the end of a message."""
    bounds = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    stated = (
        f"{words} {bound:g}"
        for meta in _metas(kind)
        for side, words in bounds.items()
        if (bound := getattr(meta, side)) is not None
    )
    return ", ".join(["", *stated])


def _description(kind: Any) -> str | None:  # noqa: ANN401 - a type form
    """The expectation that `Meta` states for the type, or for a part of a union."""
    return next((meta.description for meta in _metas(kind) if meta.description), None)


def _metas(kind: Any) -> Iterator[msgspec.Meta]:  # noqa: ANN401 - a type form
    """What `Annotated` says of the type, or of a part of a union."""
    parts = typing.get_args(kind) if _is_union(kind) else (kind,)
    metas = (meta for part in parts for meta in getattr(part, "__metadata__", ()))
    return (meta for meta in metas if isinstance(meta, msgspec.Meta))


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type form
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _is_union(kind: Any) -> bool:  # noqa: ANN401 - a type form
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _members(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type form
    """The parts of a union, or the type itself; `Annotated` is taken off."""
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    return typing.get_args(kind) if _is_union(kind) else (kind,)


def _choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type form
    """The words of a `Literal`, when the type takes no other text."""
    members = _members(kind)
    if str in members:
        return ()
    return tuple(
        word
        for member in members
        if typing.get_origin(member) is Literal
        for word in typing.get_args(member)
    )


def _inside(kind: Any, forms: tuple[type, ...], place: int) -> Any:  # noqa: ANN401 - a type form
    """The type of the values in a mapping, or of members of a list; None where it is neither."""
    if kind is Any:
        return Any
    held = (member for member in _members(kind) if typing.get_origin(member) in forms)
    return next((typing.get_args(member)[place] for member in held), None)


def _record(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - a type form
    for member in _members(kind):
        if isinstance(member, type) and issubclass(member, msgspec.Struct):
            return member
    return None


def _with_key(message: str, document: object, record: type[msgspec.Struct], *, strict: bool) -> str:
    """msgspec's message with the key of a mapping's value, of which it writes `[...]`."""
    head, mark, tail = message.partition("[...]")
    name = head.rpartition("`$.")[2]
    whole: dict[str, Any] = document if isinstance(document, dict) else {}
    held = whole.get(name) if mark else None
    for key, value in held.items() if isinstance(held, dict) else ():
        try:
            msgspec.convert({**whole, name: {key: value}}, record, strict=strict)
        except msgspec.ValidationError as wrong:
            if str(wrong) == message:
                return f"{head}.{key}{tail}"
    return message


def _explained(message: str, document: object) -> str:
    """msgspec's `Expected … - at `$.a.b[0]`` as `a.b[0]: found …; expected …`."""
    expected, _, tail = message.partition(" - at `$")
    path = tail.rstrip("`").removeprefix(".")
    value = _value_at(document, path)
    if value is _MISSING:
        return f"{path or 'the document'}: {expected[:1].lower()}{expected[1:]}"
    return f"{path or 'the document'}: found {value!r:.80}; {expected[:1].lower()}{expected[1:]}"


_MISSING = object()


def _value_at(document: object, path: str) -> object:
    value = document
    for step in path.replace("[", ".").replace("]", "").split(".") if path else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value if not isinstance(value, dict) else _MISSING
