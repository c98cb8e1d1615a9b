"""The child process in which a program on trial runs: every input in a process of its own.

Started by path with `python -I`. It gets the program and the inputs, never the outputs that are
expected: whatever the program does to its process, the comparison lies elsewhere. Each test's
result is a line of JSON: what was printed, or the value that was returned.
"""

import contextlib
import importlib.util
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple

_PRELUDE = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random"),
    *("statistics", "itertools", "functools", "operator", "io", "sys", "json", "builtins"),
    "typing",
)
"""What the original imports before every program, by `from … import *` and by name."""

_RECURSION = 600_000
_PRINTED_BYTES = 4 * 1024**2
_WAITS = 0.002
_MAIN = "__main__"


class Trial(NamedTuple):
    """A program, the function to call (None: it reads and prints), and seconds for all tests."""

    program: str
    function: str | None
    inputs: list[Any]
    seconds: float


def main() -> None:
    """Run every input of the trial on standard input and write a line for each."""
    trial = Trial(**json.load(sys.stdin))
    limits = _limits()
    folders = limits.python_folders()
    limits.limit_resources(int(trial.seconds) + 1)
    limits.enter_jail(folders)
    module = _prelude()
    if trial.function is not None:
        importlib.import_module("inspect")  # once, for all tests of a function; others need none
    watch = partial(limits.watch, folders=folders)
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    deadline = time.monotonic() + trial.seconds
    for given in trial.inputs:
        done = _tried(partial(_run, trial, given, module, watch), trial.function is None, deadline)
        results.write(json.dumps(done) + "\n")
        results.flush()


def _limits() -> ModuleType:
    path = Path(__file__).with_name("scorer_process.py")
    spec = importlib.util.spec_from_file_location("limits", path)
    assert spec is not None and spec.loader is not None  # noqa: S101 - our own file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prelude() -> ModuleType:
    module = ModuleType("answer")
    for name in _PRELUDE:
        exec(f"from {name} import *", vars(module))  # noqa: S102
    for name in _PRELUDE[:-2]:
        exec(f"import {name}", vars(module))  # noqa: S102
    return module


def _tried(
    run: Callable[[IO[bytes], IO[bytes]], None], prints: bool, deadline: float
) -> dict[str, str]:
    """Run one test: gives `printed` or `returned`, or nothing where it did not end."""
    with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out:
        child = os.fork()
        if not child:
            run(into, out)
        if not _ended_well(child, deadline):
            return {}
        size = min(out.seek(0, os.SEEK_END), _PRINTED_BYTES)
        out.seek(0)
        text = out.read(size).decode("utf-8", "replace")
        return {"printed" if prints else "returned": text}


def _ended_well(child: int, deadline: float) -> bool:
    """True if the process ended by itself and without an error; it is killed when time is up."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(_WAITS)


def _run(
    trial: Trial,
    given: object,
    module: ModuleType,
    watch: Callable[[], Callable[[], None]],
    into: IO[bytes],
    out: IO[bytes],
) -> None:
    """Run the program in this process and end it; the exit code says whether it came through."""
    code = 1
    try:
        if trial.function is None:
            into.write(_as_text(given).encode("utf-8", "surrogatepass"))
            into.seek(0)
        _redirect(into, out, prints=trial.function is None)
        sys.setrecursionlimit(_RECURSION)
        vars(module).update(stdin=sys.stdin, stdout=sys.stdout)
        watch()()
        if trial.function is None:
            module.__name__ = _MAIN
            _print(trial.program, module)
        else:
            module.__name__ = "answer"
            value = _returned(trial.program, module, trial.function, given)
            out.write(json.dumps(value).encode())
            out.flush()
        code = 0
    except BaseException:  # noqa: S110 - whatever a program raises, it has not passed
        pass
    finally:
        os._exit(code)


def _redirect(into: IO[bytes], out: IO[bytes], *, prints: bool) -> None:
    """Standard input and output are the files; what else is written goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(into.fileno() if prints else nowhere, 0)
    os.dup2(out.fileno() if prints else nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _print(program: str, module: ModuleType) -> None:
    with contextlib.suppress(SystemExit):  # a program may end itself
        exec(compile(program, "answer", "exec"), vars(module))  # noqa: S102
    sys.stdout.flush()


def _returned(program: str, module: ModuleType, name: str, given: object) -> object:
    exec(compile(program, "answer", "exec"), vars(module))  # noqa: S102
    solution = getattr(module, "Solution", None)
    function = getattr(solution() if callable(solution) else module, name)
    return function(*_arguments(given, function))


def _arguments(given: object, function: object) -> Sequence[object]:
    """One argument per line; a list holds the arguments, or is the only one if they do not fit."""
    if isinstance(given, str):
        values = [literal(line) for line in given.split("\n")]
    elif isinstance(given, list):
        values = given if _takes(function, given) else [given]
    else:
        values = [given]
    return [_whole_keys(value) if place == 0 else value for place, value in enumerate(values)]


def _takes(function: Any, values: list[object]) -> bool:  # noqa: ANN401
    import inspect  # noqa: PLC0415 - see `main`

    try:
        inspect.signature(function).bind(*values)
    except (TypeError, ValueError):
        return False
    return True


def _whole_keys(value: object) -> object:
    """JSON turns whole keys into texts; here they are whole again, where all of them were."""
    if not isinstance(value, dict) or not value:
        return value
    try:
        return {int(key): inner for key, inner in value.items()}
    except (TypeError, ValueError):
        return value


def literal(text: str) -> object:
    import ast  # noqa: PLC0415 - see `main`: `inspect` brings it along

    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError):
            value: object = read(text)
            return value
    return text


def _as_text(given: object) -> str:
    return "\n".join(map(str, given)) if isinstance(given, list) else str(given)


if __name__ == "__main__":
    main()
