"""The process from which several emulated accounts and their functions are forked."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.figure import Figure

from nova_judge.folders import ROOT
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


if __name__ == "__main__":
    Figure.savefig = undrawn.savefig  # type: ignore[method-assign, assignment]
    function_processes.share(sys.argv[1])
