"""An AWS account on this machine: `with Emulator(settings) as account: account.client("s3")`.

It runs in a child process with an environment of its own, listens on loopback only, and takes
everything that it started and wrote along when it ends.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Self

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.folders import ROOT
from nova_judge.scratch import scratch_folder
from nova_judge_local.emulator_settings import (
    FUNCTION_ERRORS,
    KEPT_ANSWERS,
    LOOPBACK,
    EmulatorSettings,
    Start,
)
from nova_judge_local.engine import clients
from nova_judge_local.engine.function_processes import Forks, Worker
from nova_judge_local.judges.model_answers import ANSWERED, REFUSED
from nova_judge_local.local_folders import FUNCTIONS

SERVER = "nova_judge_local.engine.server"
STOP_S = 5.0
JUDGED = "judged "
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SSL_CERT_FILE")


class Emulator:
    """The running account; `endpoint_url` is set while it runs."""

    def __init__(self, settings: EmulatorSettings | None = None) -> None:
        self.settings = settings or EmulatorSettings()
        self.endpoint_url = ""
        self._process: subprocess.Popen[str] | Worker | None = None
        self._scratch = ExitStack()
        self._folder: Path | None = None
        self._known = 0
        self._kept_before = 0

    @property
    def folder(self) -> Path:
        """The account's own folder, removed at the end."""
        if self._folder is None:
            raise LocalModeError("The emulator is not running: use it in a `with` statement.")
        return self._folder

    @property
    def _kept(self) -> Path:
        return Path(self.settings.judge_calls.kept or self.folder, KEPT_ANSWERS)

    @property
    def log(self) -> Path:
        """Log of the engine and the functions."""
        return self.folder / "emulator.log"

    @property
    def job_logs(self) -> Path:
        """One file per training job: what its container wrote."""
        return self.folder / "jobs"

    def __enter__(self) -> Self:
        self._scratch = ExitStack()
        self._folder = self._scratch.enter_context(scratch_folder())
        for name in ("jobs", "knowledge"):
            (self._folder / name).mkdir()
        for name in (ANSWERED, REFUSED, FUNCTION_ERRORS):
            (self._folder / name).touch()
        self._kept_before = _lines(self._kept)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def client(self, service: str) -> clients.Client:
        """A boto3 client of the emulated account; one per service."""
        if not self.endpoint_url:
            raise LocalModeError("The emulator is not running: use it in a `with` statement.")
        return clients.client(service, self.endpoint_url, self.settings.region)

    def environment(self) -> dict[str, str]:
        """The variables under which any AWS tool talks to this account."""
        return clients.environment(self.endpoint_url, self.settings.region)

    @property
    def function_errors(self) -> Path:
        """Log of the functions that failed, each after its name."""
        return self.folder / FUNCTION_ERRORS

    def logs(self) -> list[Path]:
        """Logs of the engine, the functions that failed and the jobs, where there are any."""
        files = (self.log, self.function_errors, *self.job_logs.glob("*.log"))
        return [file for file in files if file.stat().st_size]

    def answered(self) -> int:
        """Number of answers that the candidates gave so far."""
        return (self.folder / ANSWERED).stat().st_size + _lines(self._kept) - self._kept_before

    def refused(self) -> str | None:
        """Reason why the first request to a candidate was refused, if one was."""
        with (self.folder / REFUSED).open(encoding="utf-8") as lines:
            return next((line.strip() for line in lines), None)

    def judged(self) -> int:
        """Number of rows that the judge has judged so far, over all jobs."""
        last = (_last_line(log) for log in self.job_logs.glob("*.log"))
        return sum(int(line.removeprefix(JUDGED)) for line in last if line.startswith(JUDGED))

    def tell_judge(self, rows: Path) -> None:
        """Let the stand-in judge know a file's ids and references: its input holds neither."""
        self._known += 1
        shutil.copyfile(rows, self.folder / "knowledge" / f"{self._known:03d}.jsonl")

    def _start(self) -> None:
        with self.log.open("wb") as log:
            self._process = self._server(log)
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101
        line = msgspec.json.encode(Start(self.settings, str(self.folder))).decode()
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        clients.load(self.settings.region)
        ready = self._process.stdout.readline()
        if not ready:
            lines = self.log.read_text("utf-8", "replace").strip().splitlines()
            raise LocalModeError(
                f"The emulator did not start: {lines[-1] if lines else 'no output'}"
            )
        self.endpoint_url = f"http://{LOOPBACK}:{json.loads(ready)['port']}"

    def _server(self, log: IO[bytes]) -> subprocess.Popen[str] | Worker:
        command, environment = [sys.executable, "-m", SERVER], _child_environment(os.environ)
        if self.settings.forks is not None:
            forks = Forks(self.settings.forks)
            try:
                return forks.popen(command, cwd=str(self.folder), env=environment, stderr=log)
            finally:
                forks.stop()
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            cwd=self.folder,
            encoding="utf-8",
            start_new_session=True,
        )

    def _stop(self) -> None:
        process, self._process, self.endpoint_url = self._process, None, ""
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            with suppress(ProcessLookupError):  # a fork has no group of its own
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
        if self._folder is not None:
            self._scratch.close()
            self._folder = None


def _lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def _last_line(log: Path) -> str:
    with log.open("rb") as content:
        content.seek(max(log.stat().st_size - 256, 0))
        lines = content.read().decode("utf-8", "replace").splitlines()
    return lines[-1] if lines else ""


def _child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Only what a Python process needs: neither credentials nor proxies of the user's."""
    passed = {name: environment[name] for name in _PASSED if name in environment}
    return {**passed, "PYTHONPATH": os.pathsep.join([str(ROOT), str(FUNCTIONS)])}
