"""The process from which emulated accounts, their functions and commands are forked."""

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_judge.cli.main import COMMANDS, load_command
from nova_judge.folders import ROOT
from nova_judge_local import local_run
from nova_judge_local.emulator_settings import EmulatorSettings
from nova_judge_local.engine import function_processes
from nova_judge_local.local_folders import FUNCTIONS
from tests.made import undrawn


@contextmanager
def shared_forks(folder: Path) -> Iterator[str | None]:
    """Its address; None where functions do not start as forks."""
    if not function_processes.POSSIBLE:
        yield None
        return
    address = folder / "socket"
    path = os.pathsep.join([str(ROOT), str(FUNCTIONS)])
    variables = {"PYTHONPATH": path, "MPLCONFIGDIR": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", __name__, str(address)],
        stdin=subprocess.PIPE,
        env={name: os.environ[name] for name in ("PATH", "HOME")} | variables,
    ) as process:
        assert process.stdin is not None
        while not address.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield str(address)
        process.stdin.close()


def accounts_from(
    address: str | None, patch: Callable[[object, str, object], None] = setattr
) -> None:
    """Have the runs on this machine that this process starts take their accounts from there."""
    patch(local_run, "EmulatorSettings", functools.partial(EmulatorSettings, forks=address))


PROGRAM = """#!{python} -IS
import json, os, socket, sys

ended, alive = os.pipe()
command = ["-m", "tests.made.command_fork", *sys.argv[1:]]
request = {{"command": command, "folder": os.getcwd(), "environment": dict(os.environ)}}
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as forks:
    forks.connect({address!r})
    socket.send_fds(forks, [json.dumps(request).encode()], [0, 1, 2, alive])
    os.close(alive)
    forks.recv(64)
sys.exit(os.read(ended, 1)[0])
"""


def program_from(address: str | None, folder: Path) -> Path:
    """A folder for PATH in which `nova-judge` is forked from there, and imports nothing anew."""
    if address is None:
        return Path(sys.executable).parent
    file = folder / "nova-judge"
    file.write_text(PROGRAM.format(python=sys.executable, address=address), "utf-8")
    file.chmod(0o755)
    return folder


if __name__ == "__main__":
    for name in COMMANDS:
        load_command(name)
    accounts_from(sys.argv[1])
    undrawn.undraw()
    function_processes.share(sys.argv[1])
