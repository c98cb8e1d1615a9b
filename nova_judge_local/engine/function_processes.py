"""Functions and containers start as forks of one process that has imported what they need.

A function of ours imports for 0.2 to 0.8 s before it answers, and a run starts seven. So one
process imports all of it while the stacks are deployed, and every worker of the engine is a copy of
it: with an environment, files and a handler module of its own. So is every container's stand-in,
and the account itself where several share the process.
"""

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
from pathlib import Path
from typing import IO

import msgspec

from nova_judge_local.engine.fork_imports import CONTAINER, prepare

LONGEST_REQUEST = 1 << 20
STDERR = 2
POSSIBLE = sys.platform == "linux"
"""Elsewhere libraries do not survive a fork, and workers start as the engine starts them."""


class _Request(msgspec.Struct):
    """What follows `python` on a command line, where, and with which environment."""

    command: list[str]
    folder: str
    environment: dict[str, str]


class Forks:
    """The process that forks; it ends with the process that made it.

    `shared`: the address of one that several accounts share, and that somebody else ends.
    """

    def __init__(self, shared: str | None = None) -> None:
        self._asking = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if shared is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._socket.connect(shared)
            return
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            # Standard output belongs to whoever started the emulator.
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=STDERR
            )

    def popen(
        self,
        command: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stderr: int | IO[bytes] = subprocess.PIPE,
        **_: object,
    ) -> "Worker":
        """A worker with pipes as text; takes what the engine gives to `subprocess.Popen`."""
        (stdin, ours_in), (ours_out, stdout) = os.pipe(), os.pipe()
        ours_error, error = os.pipe()
        errors = error if isinstance(stderr, int) else stderr.fileno()
        pid, ended = self._fork(_Request([*command[1:]], cwd, dict(env)), (stdin, stdout, errors))
        for descriptor in (stdin, stdout, error):
            os.close(descriptor)
        return Worker(pid, ended, (ours_in, ours_out, ours_error))

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]
    ) -> "Fork":
        """A process whose output goes into `log`."""
        request = _Request([*command[1:]], str(folder), dict(environment))
        with Path(os.devnull).open("rb") as nothing:
            return Fork(*self._fork(request, (nothing.fileno(), log.fileno(), log.fileno())))

    def _fork(self, request: _Request, standard: tuple[int, int, int]) -> tuple[int, int]:
        """The process id, and a descriptor that says how the process ended."""
        ended, alive = os.pipe()
        try:
            with self._asking:
                content = msgspec.json.encode(request)
                socket.send_fds(self._socket, [content], [*standard, alive])
                return int(self._socket.recv(64)), ended
        finally:
            os.close(alive)

    def stop(self) -> None:
        """End the process; what it has forked goes on."""
        self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Fork:
    """Part of `subprocess.Popen` for a process that is not our child."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self._ended: IO[bytes] = os.fdopen(ended, "rb")
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code once the process has ended; a signal ends it with minus its number."""
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
        if self._code is None and select.select([self._ended], [], [], timeout)[0]:
            said = self._ended.read(1)
            self._code = said[0] if said else -signal.SIGKILL
        return self._code

    def _signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Worker(Fork):
    """Part of `subprocess.Popen` that the engine uses."""

    def __init__(self, pid: int, ended: int, ours: tuple[int, int, int]) -> None:
        super().__init__(pid, ended)
        stdin, stdout, stderr = ours
        self.stdin: IO[str] = os.fdopen(stdin, "w", buffering=1, encoding="utf-8")
        self.stdout: IO[str] = os.fdopen(stdout, encoding="utf-8")
        self.stderr: IO[str] = os.fdopen(stderr, encoding="utf-8", errors="replace")


def main() -> None:
    """Import what functions import, then fork on every request until the other end closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a fork
    asked = socket.socket(fileno=int(sys.argv[1]))
    prepare()
    _answer(asked)


def share(address: str) -> None:
    """The same for every account that connects to the address, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        prepare(accounts=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                os._exit(0)  # else libraries look through what was frozen, and find it strange
            asked, _ = listener.accept()
            with asked:
                if os.fork() == 0:
                    listener.close()
                    _answer(asked)
                    os._exit(0)


def _answer(asked: socket.socket) -> None:
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
        with suppress(BrokenPipeError):  # whoever asked has ended meanwhile
            asked.send(str(pid).encode())


def _become(request: _Request, descriptors: Sequence[int]) -> None:
    """Run as if this process had been started with the command; never returns."""
    *standard, alive = descriptors
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request.environment)
        os.chdir(request.folder)
        _run(request.command)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # whatever it is, its reader must see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(alive, bytes([code & 0xFF]))
        os._exit(code)


def _run(command: list[str]) -> None:
    if command[0] == "-m":
        import boto3  # noqa: PLC0415 - imported long ago

        if command[1] == CONTAINER:
            boto3.DEFAULT_SESSION = None  # its calls go where its environment says
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
