"""Nothing is lost before something better is there, wherever a run is killed or the disk fails."""

import os
import resource
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from nova_judge.errors import LocalModeError
from nova_judge.scratch import scratch_folder
from nova_judge_local import output_folder
from tests.hostile.bounds import ROOT

EARLIER = {"report/report.html": "earlier", "request.json": "earlier", "judge/0.jsonl": "earlier"}
LATER = {"report/report.html": "later", "request.json": "later", "logs/engine.log": "later"}
OWN = {"mine.txt": "own"}
HIDDEN = {output_folder.MARKER, output_folder.LOCK}


class Killed(BaseException):
    """The process ends here."""


class Bucket:
    """A run's objects; downloading the `fails_at`-th raises."""

    def __init__(self, files: dict[str, str], fails_at: int = -1) -> None:
        self._files = files
        self._fails_at = fails_at

    def get_paginator(self, _name: str) -> "Bucket":
        return self

    def paginate(self, **_asked: str) -> list[dict]:
        return [{"Contents": [{"Key": f"runs/r/{name}"} for name in self._files]}]

    def download_file(self, _bucket: str, key: str, target: str) -> None:
        if self._fails_at == 0:
            raise OSError(28, "No space left on device")
        self._fails_at -= 1
        Path(target).write_text(self._files[key.removeprefix("runs/r/")])


def files_in(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name not in HIDDEN)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@pytest.fixture
def out(tmp_path) -> Path:
    """A folder with an earlier run and a file of the user's own."""
    folder = tmp_path / "out"
    output_folder.fetch(Bucket(EARLIER), "bucket", folder)
    (folder / "mine.txt").write_text("own")
    return folder


@pytest.mark.parametrize("fails_at", range(3))
def test_a_disk_that_fills_while_a_run_is_fetched_leaves_the_earlier_run(out, fails_at):
    with pytest.raises(OSError, match="No space"), output_folder.held(out):
        output_folder.fetch(Bucket(LATER, fails_at), "bucket", out)
    with output_folder.held(out):
        pass
    assert files_in(out) == EARLIER | OWN


@pytest.mark.parametrize("steps", range(12))
def test_a_run_killed_at_any_step_leaves_one_whole_run(out, monkeypatch, steps):
    """Every rename and every removal is a step."""
    left = steps

    def counted(act):
        def step(*arguments, **settings):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return act(*arguments, **settings)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(output_folder.shutil, "rmtree", counted(output_folder.shutil.rmtree))
        with suppress(Killed):
            output_folder.fetch(Bucket(LATER), "bucket", out)
    with output_folder.held(out):
        pass
    assert files_in(out) in (EARLIER | OWN, LATER | OWN)
    assert {path.name for path in out.iterdir()} & {output_folder.NEW, output_folder.OLD} == set()


def test_a_run_never_replaces_a_file_of_the_users_own(out):
    (out / "logs").write_text("own")
    with pytest.raises(LocalModeError, match="logs is in the run's way"):
        output_folder.fetch(Bucket(LATER), "bucket", out)
    with output_folder.held(out):
        pass
    assert files_in(out) == EARLIER | OWN | {"logs": "own"}


def test_one_folder_takes_one_run_at_a_time(out):
    with (
        output_folder.held(out),
        pytest.raises(LocalModeError, match="Another run writes to"),
        output_folder.held(out),
    ):
        pass
    with output_folder.held(out):
        pass


def test_a_folder_that_cannot_be_written_is_refused_before_anything_starts(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "out", tmp_path / ("x" * 300), Path("/proc/none/out")):
        with (
            pytest.raises(LocalModeError, match="cannot be written to"),
            output_folder.held(folder),
        ):
            pass


def test_a_full_disk_is_found_before_anything_starts(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with (
            pytest.raises(LocalModeError, match="cannot be written to"),
            output_folder.held(tmp_path / "out"),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "out").exists()


def test_a_run_that_could_not_begin_leaves_no_folder(tmp_path):
    with pytest.raises(KeyError), output_folder.held(tmp_path / "a" / "out"):
        raise KeyError
    assert not (tmp_path / "a" / "out").exists()


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_runs_is_not(
    tmp_path, monkeypatch
):
    program = (
        "import os, sys\n"
        "from nova_judge.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'prompts.jsonl').write_text('secret')\n"
        "    print(folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, **pipes)
        for _ in range(2)
    ]
    killed, running = processes
    folders = [Path(process.stdout.readline().strip()) for process in processes]
    killed.kill()
    killed.wait()
    assert (folders[0] / "prompts.jsonl").is_file()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder() as own:
        assert own.stat().st_mode & 0o077 == 0
        assert not folders[0].exists()
        assert (folders[1] / "prompts.jsonl").is_file()
    running.communicate("")
    assert list(tmp_path.iterdir()) == []
