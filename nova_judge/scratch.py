"""Folders for a while: removed at the end, or by the next run where a run was killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a killed run's folder stays
    fcntl = None  # type: ignore[assignment]

_PREFIX = "nova-judge-held-"
_LOCK = ".held"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that only this user can read, and that is gone afterwards.

    Its process holds a lock on it, which ends with the process: what nobody holds any more is
    removed first.
    """
    _remove_unheld()
    new = Path(tempfile.mkdtemp(prefix="nova-judge-new-"))
    with (new / _LOCK).open("wb") as lock:
        hold(lock)
        folder = new.rename(new.with_name(new.name.replace("nova-judge-new-", _PREFIX)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            _remove_unheld()  # a child of the killed process may have written until now


def hold(lock: BinaryIO) -> None:
    """Take the lock of an open file for this process; raises BlockingIOError where it is held."""
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_unheld() -> None:
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            with (folder / _LOCK).open("ab") as lock:
                hold(lock)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # held, or another run removes it
            continue
