"""JSON Lines: one value per line, with line numbers, and faults in words."""

import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from nova_judge.errors import NovaJudgeError

BOM = b"\xef\xbb\xbf"
_CONSTANT = re.compile(rb"\b(?:NaN|Infinity)\b")
_MOST_DIGITS = 300
_MISSING = re.compile(r"missing required field `([^`]+)`")
_WRONG = re.compile(r"^(.*) - at `\$\.([^`.\[]+)[^`]*`$")

Value = TypeVar("Value")


def indented(record: object) -> bytes:
    """A record as an indented JSON document."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


class Line(NamedTuple):
    """One line as it stands in the file, without its line break; `number` counts from 1.

    `content` is None when the line is longer than its reader takes.
    """

    number: int
    content: bytes | None


class Fault(NamedTuple):
    """Reason why a line cannot be read, and the field to blame."""

    reason: str
    field: str | None = None


class Read(NamedTuple, Generic[Value]):
    """Contents of the line with this number, or why it cannot be read."""

    line: int
    value: Value | Fault


def decoded(content: bytes, decoder: msgspec.json.Decoder[Value]) -> Value | Fault:
    """The value of one line, or its fault; raises nothing, whatever the line holds."""
    try:
        content.decode("utf-8")
        return decoder.decode(content)
    except UnicodeDecodeError as error:
        return Fault(f"not UTF-8: byte {error.start + 1} of the line cannot be read")
    except msgspec.ValidationError as error:
        fault = shape_fault(str(error))
        if "out of range" not in str(error):
            return fault
    except (msgspec.DecodeError, RecursionError) as error:
        fault = Fault(f"not JSON: {error}")
        if not _CONSTANT.search(content):
            return fault
    value: Value | Fault = _as_python_reads(content, decoder, fault)
    return value


def _as_python_reads(
    content: bytes, decoder: msgspec.json.Decoder[Value], fault: Fault
) -> Value | Fault:
    """NaN and Infinity, which JSON does not have, as null, and huge integers as text."""
    try:
        value = json.loads(
            content, parse_constant=lambda _: None, parse_int=_integer, parse_float=_finite
        )
        return decoder.decode(json.dumps(value).encode())
    except msgspec.ValidationError as error:
        return shape_fault(str(error))
    except (ValueError, RecursionError):
        return fault


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def shape_fault(message: str) -> Fault:
    """msgspec's word on a value of another shape, by field."""
    if missing := _MISSING.search(message):
        return Fault(f"field `{missing[1]}` is missing", missing[1])
    if wrong := _WRONG.match(message):
        return Fault(f"field `{wrong[2]}`: {wrong[1][0].lower()}{wrong[1][1:]}", wrong[2])
    return Fault(f"not a JSON object: {message[0].lower()}{message[1:]}")


def lines_of(file: Iterable[bytes]) -> Iterator[Line]:
    """The lines of an open binary file but for blank ones, without byte order marks and breaks.

    Such a mark is never content, and stands inside a file that was joined of several.
    """
    for number, content in enumerate(file, start=1):
        line = content.removeprefix(BOM)
        if line.strip():
            yield Line(number, line.rstrip(b"\r\n"))


def read_lines(file: Iterable[bytes], kind: type[Value]) -> Iterator[Read[Value]]:
    """Every line but blank ones as `kind`, or its fault."""
    decoder: msgspec.json.Decoder[Value] = msgspec.json.Decoder(kind)
    for number, content in lines_of(file):
        value: Value | Fault = decoded(content or b"", decoder)
        yield Read(number, value)


def require_lines(
    path: Path, kind: type[Value], error: type[NovaJudgeError], form: str = ""
) -> Iterator[Value]:
    """The values of a file in which every line must be a `kind`.

    Raises `error` with the file, the first line that is none, why, and the `form` that is expected.
    """
    with path.open("rb") as file:
        for line, value in read_lines(file, kind):
            if isinstance(value, Fault):
                raise error(f"{path.name}, line {line}: {value.reason}{form and f'. {form}'}")
            yield value


def whole_lines(head: bytes, size: int) -> bytes:
    """The first bytes of a file of `size` bytes without the line that they cut."""
    return head if len(head) >= size else head[: head.rfind(b"\n") + 1]
