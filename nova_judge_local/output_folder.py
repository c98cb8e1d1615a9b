"""The folder that gets a local run: what an earlier run left there goes, nothing else does.

A run is fetched beside what is there and put in its place when it is whole, by renames. A process
that is killed leaves the earlier run or the new one: the next run ends what had begun.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nova_judge.errors import LocalModeError
from nova_judge.layout import INDEX, RUNS
from nova_judge.scratch import hold

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOGS = "logs"
MARKER = ".nova-judge-run"
"""Lists what a run wrote, an entry of the folder per line."""
LOCK = ".nova-judge-lock"
NEW = ".nova-judge-new"
"""The next run as far as it was fetched; whole once it has a marker."""
OLD = ".nova-judge-old"
_TRIED_BYTES = 1 << 20


@contextmanager
def held(out: Path) -> Iterator[None]:
    """The folder for one run alone, tried before anything is paid for.

    Raises `LocalModeError` unless it is new, empty or holds an earlier run, can be written to, and
    no other run has it.
    """
    with ExitStack() as stack:
        try:
            _check(out)
            out.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((out / LOCK).open("wb"))
            hold(lock)
            stack.callback(_leave, out)
            lock.write(bytes(_TRIED_BYTES))
            lock.flush()
            _end_what_began(out)
        except BlockingIOError as error:
            raise LocalModeError(
                f"Another run writes to {out}: name another with --out."
            ) from error
        except OSError as error:
            raise LocalModeError(
                f"{out} cannot be written to ({error.strerror}): name another with --out."
            ) from error
        yield


def _check(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise LocalModeError(f"{out} is a file: name a folder with --out.")
    there = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if there - {LOCK, NEW, OLD} and not any((out / part / MARKER).is_file() for part in ("", NEW)):
        raise LocalModeError(f"{out} holds files that no run wrote: name another with --out.")


def _leave(out: Path) -> None:
    (out / LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # something lies in it
        out.rmdir()


def fetch(s3: "S3Client", bucket: str, out: Path, logs: Iterable[Path] = ()) -> None:
    """Copy `runs/<run id>/`, and `logs` into a folder of their own, in place of an earlier run."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RUNS)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    keys = [key for key in keys if not key.startswith(INDEX)]
    new = out / NEW
    targets = {key: _target(new, key) for key in keys}
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for key, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))
    for file in logs:
        (new / LOGS).mkdir(exist_ok=True)
        shutil.copyfile(file, new / LOGS / file.name)
    entries = sorted(path.name for path in new.iterdir())
    _require_free(out, entries)
    (new / MARKER).write_text("\n".join(entries), "utf-8")
    _put_in_place(out)


def _put_in_place(out: Path) -> None:
    """Each step is a rename; where a process was killed in between, the same steps end it."""
    new, old, marker = out / NEW, out / OLD, out / MARKER
    old.mkdir(exist_ok=True)
    if marker.is_file():
        for name in _entries(marker):
            if os.path.lexists(out / name):
                (out / name).replace(old / name)
        marker.replace(old / MARKER)
    for path in sorted(new.iterdir()):
        if path.name != MARKER:
            path.replace(out / path.name)
    (new / MARKER).replace(marker)
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)


def _end_what_began(out: Path) -> None:
    if (out / NEW / MARKER).is_file():
        _put_in_place(out)
    for folder in (out / NEW, out / OLD):
        shutil.rmtree(folder, ignore_errors=True)


def _require_free(out: Path, names: Iterable[str]) -> None:
    """The user's own files stay, also where a run would write one of the same name."""
    taken = _entries(out / MARKER)
    for name in names:
        if name not in taken and os.path.lexists(out / name):
            raise LocalModeError(f"{out / name} is in the run's way, and no run wrote it: move it.")


def _entries(marker: Path) -> set[str]:
    """Names of what an earlier run wrote, whatever the marker says."""
    lines = marker.read_text("utf-8").splitlines() if marker.is_file() else []
    return {PurePosixPath(line).name for line in lines} - {"", "..", MARKER, LOCK, NEW, OLD}


def _target(folder: Path, key: str) -> Path:
    """Path to which an object of the run goes, without `runs/<run id>/`."""
    target = (folder / PurePosixPath(*PurePosixPath(key).parts[2:])).resolve()
    if not target.is_relative_to(folder.resolve()) or target == folder.resolve():
        raise LocalModeError(f"Key {key!r} would be written outside {folder}.")
    return target
