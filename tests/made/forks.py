"""The process from which the functions of several emulated accounts are forked."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_judge.folders import ROOT
from nova_judge_local.engine import function_processes
from nova_judge_local.local_folders import FUNCTIONS


@contextmanager
def shared_forks(folder: Path) -> Iterator[str | None]:
    """Its address; None where functions do not start as forks."""
    if not function_processes.POSSIBLE:
        yield None
        return
    address = folder / "socket"
    script = f"from {function_processes.__name__} import share; share({str(address)!r})"
    path = os.pathsep.join([str(ROOT), str(FUNCTIONS)])
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": path},
    ) as process:
        assert process.stdin is not None
        while not address.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield str(address)
        process.stdin.close()
