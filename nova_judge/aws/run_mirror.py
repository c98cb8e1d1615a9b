"""Runs in S3 as a folder on this machine: the figures of all, other files when asked for."""

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from nova_judge.aws import s3
from nova_judge.aws.client_errors import refused_as
from nova_judge.aws.fetched_runs import fetch_object, temporary_folder, unreadable
from nova_judge.aws.object_names import is_plain
from nova_judge.layout import INDEX, RUNS

_THREADS = 16
_METRICS = "report/metrics.json"
_KEPT = ("request.json", "rejected.jsonl")


class RunMirror:
    """The runs below `s3://bucket/` or `s3://bucket/prefix/`, in a folder that goes at the end.

    Runs are found by the index of headlines where the bucket has one, else by their folders.
    """

    def __init__(self, uri: str) -> None:
        self._bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        below = prefix.rstrip("/").removesuffix(RUNS.rstrip("/")).rstrip("/")
        self._prefix = f"{below}/" if below else ""
        self.folder = temporary_folder().resolve()

    def refresh(self) -> None:
        """Fetch the figures of every run that is not here yet. Raises SavedReportError."""
        with refused_as(partial(unreadable, f"s3://{self._bucket}/{self._prefix}{RUNS}")):
            runs = [run for run in self._runs() if is_plain(run)]
            with ThreadPoolExecutor(_THREADS) as threads:
                list(threads.map(self._fetch, (f"{run}/{_METRICS}" for run in runs)))

    def fetch(self, path: Path) -> None:
        """Fetch one file of a run, and people's labels beside it, if S3 has them."""
        run = path.relative_to(self.folder).parts[0]
        wanted = [str(path.relative_to(self.folder)), *(f"{run}/{name}" for name in _KEPT)]
        labels = f"{self._prefix}{RUNS}{run}/labels/"
        held = s3.keys(self._bucket, labels)
        wanted += [key.removeprefix(f"{self._prefix}{RUNS}") for key in held]
        for name in wanted:
            self._fetch(name)
        self._fetch_parts(wanted[0])

    def _runs(self) -> Iterator[str]:
        listed = f"{self._prefix}{INDEX}"
        entries = [key.removeprefix(listed) for key in s3.keys(self._bucket, listed)]
        if entries:
            yield from (name.removesuffix(".json") for name in entries)
            return
        yield from s3.folders(self._bucket, f"{self._prefix}{RUNS}")

    def _fetch(self, name: str) -> None:
        if not is_plain(name):
            return
        target = (self.folder / name).resolve()
        if target.is_file() or not target.is_relative_to(self.folder):
            return
        content = s3.read_if_exists(self._bucket, f"{self._prefix}{RUNS}{name}")
        if content is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            coming = target.with_name(f"{target.name}.{threading.get_ident()}")
            coming.write_bytes(content)
            coming.replace(target)

    def _fetch_parts(self, name: str) -> None:
        """Fetch a folder of rows: all of its parts, or none."""
        prefix = f"{self._prefix}{RUNS}{name}/"
        parts = [key.removeprefix(prefix) for key in s3.keys(self._bucket, prefix)]
        parts = [part for part in parts if is_plain(part) and "/" not in part]
        target = self.folder / name
        if not parts or target.exists() or not is_plain(name):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as made:
            coming = Path(made, target.name)
            coming.mkdir()
            for part in parts:
                fetch_object(self._bucket, f"{prefix}{part}", coming / part)
            with suppress(OSError):  # another request was first
                coming.rename(target)
