"""Starts one of our child processes that runs foreign code, and reads what it wrote.

The child limits itself and enters the jail before it loads anything foreign (`jail.py`). What goes
in and out are files of bounded size, so that neither side can block or flood the other.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from nova_judge.scores import jail, scorer_process

OUTPUT_BYTES = scorer_process.FILE_BYTES
_TIMED_OUT = b"Timeout ("
_PROBE_SECONDS = 20.0


class Finished(NamedTuple):
    """Output of a child, and how it ended, in words."""

    output: bytes
    ended: str


def run_jailed(child: Path, arguments: Sequence[str], sent: bytes, seconds: float) -> Finished:
    """Run the Python file `child` without environment in an empty folder of its own.

    After `seconds`, and at its end, it and all that it started are killed.
    """
    command = [sys.executable, "-I", "-B", str(child), *arguments]
    with (
        tempfile.TemporaryDirectory(prefix="nova-judge-scorer-") as folder,
        tempfile.TemporaryFile() as into,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
    ):
        into.write(sent)
        into.seek(0)
        process = subprocess.Popen(
            command, stdin=into, stdout=out, stderr=errors, env={}, cwd=folder, process_group=0
        )
        if not _ends_within(seconds, process):
            ended = f"no result within {seconds:.0f} s"
        else:
            timed_out = _TIMED_OUT in _content(errors)
            ended = "" if timed_out else _ended(process.returncode)
        return Finished(_content(out), ended)


def _ends_within(seconds: float, process: subprocess.Popen[bytes]) -> bool:
    """Wait for the end without looking for it every now and then, as a wait with a limit does."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill_group(process)

    clock = threading.Timer(seconds, stop)
    clock.start()
    try:
        process.wait()
    finally:
        clock.cancel()
        _kill_group(process)
        process.wait()
    return not late.is_set()


def _content(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return file.read(min(size, OUTPUT_BYTES))


def _ended(code: int) -> str:
    number = -code if code < 0 else code - jail.SIGNALLED
    return f"signal {number}" if number > 0 else f"exit code {code}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@functools.cache
def limits_that_hold() -> str:
    """Limits that hold for foreign code on this machine, in words: asked of a child, once."""
    child = Path(scorer_process.__file__).resolve()
    limits = run_jailed(child, ["--limits"], b"", _PROBE_SECONDS).output.decode("utf-8", "replace")
    return limits.strip() or f"{jail.NO_JAIL}: the child that tries them ended early"
