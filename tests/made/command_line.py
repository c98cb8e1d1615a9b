"""The command line, called in this process or in a fork of it."""

import functools
import gc
import importlib
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import boto3
from click.testing import Result
from typer.testing import CliRunner

from nova_judge.cli import endpoints, main, submitted
from nova_judge.runs import stopping
from nova_judge.steps import verify_stage
from tests.made.command_fork import reopen_streams

LOOK_EVERY_S = 0.1
"""An emulated account takes seconds for what takes AWS minutes."""
ASKED = ("cloudformation", "dynamodb", "iam", "lambda", "s3", "sagemaker", "stepfunctions", "sts")
"""Services that most commands ask."""


def asked(*arguments: object) -> Result:
    """The outcome of a command; what is no refusal in words is raised."""
    done = CliRunner().invoke(main.app, [str(one) for one in arguments])
    assert not isinstance(done.exception, Exception), done.exception
    return done


def forked(
    arguments: Sequence[object],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    said: str = "",
    prepare: Callable[[], object] = lambda: None,
) -> "subprocess.CompletedProcess[str]":
    """The outcome of the command line in a fork, which has imported already what a start imports.

    `said`: what standard input holds; `prepare` is called in the fork before the command.
    """
    command = ["nova-judge", *map(str, arguments)]
    with (
        tempfile.TemporaryFile() as into,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as error,
    ):
        into.write(said.encode())
        into.seek(0)
        _import(command[1])
        _read_services()
        child = os.fork()
        if not child:
            _run(command, (into, out, error), environment, folder, prepare)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, error):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return subprocess.CompletedProcess(command, code, *texts)


def _run(
    command: list[str],
    files: tuple[IO[bytes], IO[bytes], IO[bytes]],
    environment: Mapping[str, str] | None,
    folder: Path | None,
    prepare: Callable[[], object],
) -> None:
    code = 70
    try:
        gc.disable()  # it would copy every page of this process
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        reopen_streams()
        if environment is not None:
            os.environ.clear()
            os.environ.update(environment)
        os.chdir(folder or Path.cwd())
        _forget_clients()
        _look_often()
        prepare()
        sys.argv = command
        main.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # whatever it is, its reader must see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _look_often() -> None:
    endpoints.LOOK_AGAIN_S = stopping.LOOK_AGAIN_S = LOOK_EVERY_S
    submitted.LOOK_EVERY_S = verify_stage._LOOK_EVERY_S = LOOK_EVERY_S


@functools.cache
def _import(command: str) -> None:
    """What a command imports is imported here, and not by every fork."""
    CliRunner().invoke(main.app, [command, "--help"])


@functools.cache
def _read_services() -> boto3.Session:
    """What botocore knows of services is read here, and not by every fork."""
    session = boto3.Session()
    make: Any = session.client
    for service in ASKED:
        make(service, "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return session


def _forget_clients() -> None:
    """Clients of an earlier test's account are no clients of this one's."""
    boto3.DEFAULT_SESSION = _read_services()
    for name in [name for name in sys.modules if name.startswith(("nova_judge.", "lambdas."))]:
        for value in vars(importlib.import_module(name)).values():
            if callable(getattr(value, "cache_clear", None)):
                value.cache_clear()
