"""A local run that is killed at any time leaves nothing that the next run does not clear up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.bounds import ROOT, rounds

MOMENTS = [3.0, 0.3, 1.0, 2.0, 4.0, 6.0]
"""Seconds after the start."""


def started(out: Path, scratch: Path) -> subprocess.Popen[bytes]:
    arguments = ["local", "run", "examples/pairs.jsonl", "--recipe", "pairwise", "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "nova_judge.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@pytest.mark.parametrize("moment", rounds(MOMENTS[:1], MOMENTS))
def test_a_killed_run_is_cleared_up_by_the_next(tmp_path, moment):
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    first = started(out, scratch)
    time.sleep(moment)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = started(out, scratch)
    said, _ = second.communicate(timeout=300)
    assert second.returncode == 0, said.decode()
    assert (out / "report/report.html").is_file()
    assert not [
        path for path in out.iterdir() if path.name in (".nova-judge-new", ".nova-judge-old")
    ]
    assert [path.name for path in scratch.iterdir()] == []
