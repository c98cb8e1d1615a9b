"""Functions start as forks of one process that has imported what they need.

A function of ours imports for 0.2 to 0.8 s before it answers, and a run starts seven. So one
process imports all of it while the stacks are deployed, and every worker of the engine is a copy of
it: with an environment, pipes and a handler module of its own.
"""

import logging
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import IO, Any

import msgspec

from nova_judge_local.engine.clients import KEY
from nova_judge_local.local_folders import FUNCTIONS

LONGEST_REQUEST = 1 << 20
STDERR = 2
SERVICES = ("s3", "dynamodb", "sagemaker", "sagemaker-runtime")
POSSIBLE = sys.platform == "linux"
"""Elsewhere libraries do not survive a fork, and workers start as the engine starts them."""


class _Request(msgspec.Struct):
    script: str
    folder: str
    environment: dict[str, str]


class Forks:
    """The process that forks; it ends with the process that made it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            # Standard output belongs to whoever started the emulator.
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=STDERR
            )

    def popen(
        self, command: Sequence[str], *, cwd: str, env: Mapping[str, str], **_: object
    ) -> "Fork":
        """A worker with pipes as text; takes what the engine gives to `subprocess.Popen`."""
        request = _Request(command[-1], cwd, dict(env))
        (stdin, ours_in), (ours_out, stdout) = os.pipe(), os.pipe()
        (ours_error, stderr), (ended, alive) = os.pipe(), os.pipe()
        theirs = [stdin, stdout, stderr, alive]
        try:
            with self._asking:
                socket.send_fds(self._socket, [msgspec.json.encode(request)], theirs)
                pid = int(self._socket.recv(64))
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return Fork(pid, ended, ours_in, ours_out, ours_error)

    def stop(self) -> None:
        """End the process; what it has forked goes on."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


class Fork:
    """Part of `subprocess.Popen` that the engine uses, for a process that is not our child."""

    def __init__(self, pid: int, ended: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid = pid
        self._ended: IO[bytes] = os.fdopen(ended, "rb")
        self.stdin: IO[str] = os.fdopen(stdin, "w", buffering=1, encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(stdout, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(stderr, encoding="utf-8", errors="replace")

    def poll(self) -> int | None:
        """Not None when the process has ended, whose end of the pipe is closed then."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutExpired when the process lives longer."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        readable, _, _ = select.select([self._ended], [], [], timeout)
        return 0 if readable else None

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def main() -> None:
    """Import what functions import, then fork on every request until the other end closes."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a fork
    _import_what_functions_need()
    while True:
        content, descriptors, _, _ = socket.recv_fds(asked, LONGEST_REQUEST, 4)
        if not content:
            return
        pid = os.fork()
        if pid == 0:
            asked.close()
            _become(msgspec.json.decode(content, type=_Request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        asked.send(str(pid).encode())


def _import_what_functions_need() -> None:
    """Every handler's imports stay, the handlers go: each worker imports its own."""
    for file in sorted((FUNCTIONS / "lambdas").glob("*.py")):
        import_module(f"lambdas.{file.stem}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lambdas"]:
        del sys.modules[name]
    # Their loggers write to what is standard output here; each worker makes its own.
    logging.Logger.manager.loggerDict.clear()
    import boto3  # noqa: PLC0415 - in this process alone

    # The session keeps what it reads of these services, and nothing of this key.
    boto3.setup_default_session()
    make: Any = boto3.client
    for service in SERVICES:
        make(service, "us-east-1", aws_access_key_id=KEY, aws_secret_access_key=KEY)


def _become(request: _Request, descriptors: Sequence[int]) -> None:
    """Run the engine's script as if this process had been started for it; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request.environment)
        os.chdir(request.folder)
        sys.argv = [request.script]
        runpy.run_path(request.script, run_name="__main__")
        code = 0
    except BaseException:  # whatever it is, its reader must see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
