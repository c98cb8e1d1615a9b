"""Stand-in for `prime_code`: does the program in the answer pass the row's test cases?

`metadata` is as AWS documents it: `{"fn_name", "inputs", "outputs"}`, each input one argument a
line, inputs and outputs written as JSON or Python literals. Without `fn_name` the program reads
standard input and prints. The original is the scorer of the same name in verl.
"""

import ast
import contextlib
import io
import json
import re
import sys

FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)


def score(answer: str, metadata: object) -> dict[str, float]:
    """1 when every test passes, else 0; and the share of tests that pass."""
    cases = json.loads(metadata) if isinstance(metadata, str) else metadata
    if not isinstance(cases, dict) or not cases.get("inputs"):
        raise ValueError("metadata has no test cases: inputs and outputs are needed")
    inputs, outputs = cases["inputs"], cases["outputs"]
    if len(inputs) != len(outputs):
        raise ValueError(f"metadata has {len(inputs)} inputs and {len(outputs)} outputs")
    program = (FENCED.findall(answer) or [answer])[-1]
    name = cases.get("fn_name")
    # Everything is read before the program runs, so that it cannot bend how its tests are read.
    tests = [
        (_arguments(given), _plain(_literal(text)))
        for given, text in zip(inputs, outputs, strict=True)
    ]
    if name is None:
        passed = [
            _prints(program, given, text) for given, text in zip(inputs, outputs, strict=True)
        ]
    else:
        passed = [_returns(program, name, *test) for test in tests]
    return {"prime_code": float(all(passed)), "tests_passed": sum(passed) / len(passed)}


def _prints(program: str, given: object, expected: object) -> bool:
    try:
        return _printed(program, str(given)).split() == str(expected).split()
    except (Exception, SystemExit):
        return False  # a program that fails does not pass


def _returns(program: str, name: str, arguments: list[object], expected: object) -> bool:
    try:
        return _plain(_returned(program, name, arguments)) == expected
    except (Exception, SystemExit):
        return False


def _arguments(given: object) -> list[object]:
    lines = given.splitlines() if isinstance(given, str) else [given]
    return [_literal(line) for line in lines]


def _printed(program: str, given: str) -> str:
    printed = io.StringIO()
    sys.stdin = io.StringIO(given)
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "answer", "exec"), {"__name__": "__main__"})  # noqa: S102
    return printed.getvalue()


def _returned(program: str, name: str, arguments: list[object]) -> object:
    scope: dict[str, object] = {"__name__": "answer"}
    exec(compile(program, "answer", "exec"), scope)  # noqa: S102
    solution = scope.get("Solution")
    function = getattr(solution(), name) if callable(solution) else scope[name]
    return function(*arguments)  # type: ignore[operator]


def _literal(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text


def _plain(value: object) -> object:
    """Tuples as lists, so that they equal what JSON can write."""
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
