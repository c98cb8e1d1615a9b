"""The child process in which a scorer runs: limits first, then the scorer, one JSON line a row.

Started by path with `python -I`, so that nothing but the standard library and the jail may be
imported here. The jail (`jail.py`) is what the kernel allows; the limits and the audit hook hold
everywhere, name what a scorer may not do, and alone are not a jail for hostile code.
"""

import faulthandler
import importlib.util
import json
import math
import os
import resource
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

PARAMETERS = ("prompt", "answer", "reference", "metadata")
SHAPE = (
    "score(...) takes any of prompt, answer, reference, metadata, and returns a finite number or "
    'a dict of names to finite numbers such as {"score": 0.5}'
)
_MEMORY_BYTES = 2 * 1024**3
FILE_BYTES = 16 * 1024**2
_OPEN_FILES = 64
_FORBIDDEN = (
    *("socket.", "subprocess."),
    *("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system"),
    *("os.kill", "signal.pthread_kill", "resource.setrlimit", "resource.prlimit"),
    *("os.chmod", "os.chown", "os.utime", "os.rename", "os.link", "os.symlink", "os.truncate"),
)
_FORBIDDEN_AFTER_IMPORTS = ("ctypes.",)  # libraries such as sympy load parts of theirs through it
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class NoScoreError(Exception):
    """The scorer cannot be loaded, raised, or returned something else."""


def load_scorer(path: Path) -> Callable[..., object]:
    """The function `score` of the file; raises NoScoreError saying what is wrong with it."""
    if not path.is_file():
        raise NoScoreError(f"{path}: there is no such file")
    spec = importlib.util.spec_from_file_location(f"scorer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise NoScoreError(f"{path} is not a Python file: its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise NoScoreError(f"{path.name} cannot be loaded: {_in_words(error)}") from error
    score: Callable[..., object] | None = getattr(module, "score", None)
    if not callable(score):
        raise NoScoreError(f"{path.name} defines no function score: {SHAPE}")
    unknown = [name for name in _parameters(score) if name not in PARAMETERS]
    if unknown:
        raise NoScoreError(f"{path.name}: score takes {', '.join(unknown)}: {SHAPE}")
    return score


def call_scorer(score: Callable[..., object], row: Mapping[str, Any]) -> dict[str, float]:
    """The metrics that `score` gives a row; raises NoScoreError when there are none."""
    wanted = _parameters(score)
    try:
        returned = score(**{name: row.get(name) for name in wanted})
    except Exception as error:
        raise NoScoreError(f"raised {_in_words(error)}") from error
    return checked_metrics(returned)


def _parameters(score: Callable[..., object]) -> Iterable[str]:
    import inspect  # noqa: PLC0415 - programs on trial take their limits from here, and no scorer

    return inspect.signature(score).parameters


def checked_metrics(returned: object) -> dict[str, float]:
    """Check that a scorer returned metrics; raises NoScoreError for anything else."""
    metrics = returned if isinstance(returned, dict) else {"score": returned}
    if not metrics:
        raise NoScoreError(f"returned an empty dict; {SHAPE}")
    checked: dict[str, float] = {}
    for name, value in metrics.items():
        named = isinstance(name, str) and 0 < len(name) <= 100
        number = _finite(value)
        if not named or number is None:
            raise NoScoreError(f"returned {_shown(returned)}; {SHAPE}")
        checked[name] = number
    return checked


def _finite(value: object) -> float | None:
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond 1e308
        return None
    return number if math.isfinite(number) else None


def _shown(returned: object) -> str:
    try:
        return f"{returned!r:.120}"
    except Exception as error:  # the scorer's own repr, or more digits than Python prints
        return f"an {type(returned).__name__} that cannot be shown ({type(error).__name__})"


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def limit_resources(cpu_seconds: int) -> None:
    """Bound processor time, memory, the size of files and the number of open ones."""
    for what, most in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def watch(*, folders: Iterable[str]) -> Callable[[], None]:
    """Deny what Python can tell apart; the returned function ends what only importing may do.

    `folders` may be read, and the current one written to.
    """
    loading = [True]
    writable = (str(Path.cwd()),)
    readable = (*writable, *folders)

    def deny(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN if loading else _FORBIDDEN + _FORBIDDEN_AFTER_IMPORTS):
            raise PermissionError(f"a scorer may not use {event}")
        if event == "open" and isinstance(arguments[0], str | bytes):
            name = os.path.realpath(os.fsdecode(arguments[0]))
            writes = bool((arguments[2] or 0) & _WRITE_FLAGS)
            allowed = writable if writes else readable
            if name != os.devnull and not any(f"{name}/".startswith(f"{f}/") for f in allowed):
                raise PermissionError(f"a scorer may not open {name}")

    sys.addaudithook(deny)
    return loading.clear


def python_folders() -> tuple[str, ...]:
    """Folders of Python and its libraries."""
    return (sys.prefix, sys.base_prefix, *sys.path)


def enter_jail(folders: Iterable[str]) -> str:
    """Enter the kernel's part of the jail; says what holds."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    try:
        from nova_judge.scores import jail  # noqa: PLC0415 - of the child alone
    finally:
        del sys.path[0]
    return jail.enter(jail.Rooms(tuple(folders), str(Path.cwd())))


def main(scorer: Path, load_seconds: float, row_seconds: float, cpu_seconds: int) -> None:
    """Score the rows on standard input; what the scorer prints goes nowhere.

    The first line says whether the scorer could be loaded, each further one belongs to a row. All
    begin with the token that the first line of the input holds, so that nothing else on the same
    file descriptor is taken for a result.
    """
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    timeouts = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
    # A program that prints for ever would fill the memory of whoever reads along.
    with Path(os.devnull).open("wb") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere.fileno(), stream.fileno())

    def write(**line: object) -> None:
        results.write(f"\n{token} {json.dumps(line)}\n")
        results.flush()

    token = sys.stdin.readline().strip()
    rows = [json.loads(line) for line in sys.stdin]
    folders = (str(scorer.parent), *python_folders())
    limit_resources(cpu_seconds)
    enter_jail(folders)
    imports_done = watch(folders=folders)
    # A thread in C ends the process when a row takes too long, even where Python code cannot.
    faulthandler.dump_traceback_later(load_seconds, exit=True, file=timeouts)
    try:
        score = load_scorer(scorer)
    except NoScoreError as fault:
        return write(fault=str(fault))
    imports_done()
    write(loaded=True)
    for row in rows:
        faulthandler.dump_traceback_later(row_seconds, exit=True, file=timeouts)
        try:
            write(metrics=call_scorer(score, row))
        except NoScoreError as fault:
            write(fault=str(fault))
    return None


if __name__ == "__main__" and sys.argv[1:] == ["--limits"]:
    sys.stdout.write(enter_jail(python_folders()))
elif __name__ == "__main__":
    load, row = map(float, sys.argv[2:4])
    main(Path(sys.argv[1]).resolve(), load, row, int(sys.argv[4]))
