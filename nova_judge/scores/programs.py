"""Does a program pass its tests? It runs in a jail; what it gives is compared here.

A program that prints passes where its lines equal the expected ones, without the blanks around
them and without empty lines, or where they are numbers that agree to 1e-5. A function passes where
its value, written as JSON, equals the expected one, or the only one that the expected list wraps.
"""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from nova_judge.scores import program_process
from nova_judge.scores.jailed_process import run_jailed
from nova_judge.scores.program_process import Trial, literal

_CHILD = Path(program_process.__file__).resolve()
_START_SECONDS = 20.0
_RELATIVE, _ABSOLUTE = 1e-5, 1e-8


class Tests(NamedTuple):
    """Tests of a program: inputs and the outputs expected, and a function's name."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    function: str | None = None


def passed_tests(program: str, tests: Tests, seconds: float) -> list[bool]:
    """Run the tests and flag those that the program passes; all together may take `seconds`."""
    trial = Trial(program, tests.function, list(tests.inputs), seconds)
    sent = orjson.dumps(trial._asdict())
    finished = run_jailed(_CHILD, [], sent, seconds + _START_SECONDS)
    results = list(_results(finished.output))[: len(tests.inputs)]
    results += [{}] * (len(tests.inputs) - len(results))
    same = _same_lines if tests.function is None else _same_value
    key = "printed" if tests.function is None else "returned"
    return [
        key in result and same(result[key], expected)
        for result, expected in zip(results, tests.outputs, strict=True)
    ]


def _results(output: bytes) -> Iterator[dict[str, str]]:
    for line in output.splitlines():
        try:
            result = json.loads(line)
        except ValueError:
            result = {}
        texts = isinstance(result, dict) and all(isinstance(v, str) for v in result.values())
        yield result if texts else {}


def _same_lines(printed: str, expected: object) -> bool:
    wanted = "\n".join(map(str, expected)) if isinstance(expected, list) else str(expected)
    given_lines, wanted_lines = _lines(printed), _lines(wanted)
    return len(given_lines) == len(wanted_lines) and all(
        given == other or _near(given, other)
        for given, other in zip(given_lines, wanted_lines, strict=True)
    )


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.split("\n"))
    return [line for line in stripped if line]


def _near(given: str, expected: str) -> bool:
    """True if both are numbers that agree; whole numbers only agree where they are the same."""
    if _is_whole(given) and _is_whole(expected):
        return int(given) == int(expected)
    try:
        one, other = float(given), float(expected)
    except ValueError:
        return False
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other
    return abs(one - other) <= _ABSOLUTE + _RELATIVE * abs(other)


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal() and len(text) < 4_000


def _same_value(returned: str, expected: object) -> bool:
    try:
        value = json.loads(returned)
    except ValueError:
        return False
    wanted = _plain(literal(expected) if isinstance(expected, str) else expected)
    if value == wanted:
        return True
    return isinstance(wanted, list) and bool(wanted) and bool(value == wanted[0])


def _plain(value: object) -> object:
    """A value as JSON would write and read it: tuples as lists, keys as texts."""
    if isinstance(value, dict):
        return {_key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _key(key: object) -> str:
    return key if isinstance(key, str) else json.dumps(key)
