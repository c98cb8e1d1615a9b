"""Runs where they lie: a folder on disk, or one in S3 fetched to one; and all runs of a bucket as a
folder, with the figures of all, other files when asked for; a run's labels, and its report made
again, in its folder in S3.

Keys become names of files only where every part is plain, and leads nowhere else.
"""

import atexit
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from nova_judge.aws import s3
from nova_judge.aws.client_errors import refused_as
from nova_judge.errors import ReviewError, SavedReportError
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.layout import INDEX, RUNS
from nova_judge.parquet import remove_rows

_PLAIN_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\Z")
_FILES = ("metrics.json", "judgments.parquet", "scores.parquet", "report.md", "report.html")
_PART = re.compile(r"judgments\.parquet/part-\d{5}\.parquet")
_PREFIX = "nova-judge-read-"
_THREADS = 16
_METRICS = "report/metrics.json"
_KEPT = ("request.json", "rejected.jsonl")


def is_plain(name: str) -> bool:
    """True where every part of a key is a plain name; others are never written to disk."""
    return all(_PLAIN_PART.match(part) for part in name.split("/"))


def open_run(reference: str, folder: Path | None = None) -> Path:
    """The run's folder on disk. What lies in S3 is downloaded: its report, into `folder` or a
    temporary folder that is deleted when the program ends. Raises SavedReportError.
    """
    if not reference.startswith("s3://"):
        return Path(reference)
    bucket, _, prefix = reference.removeprefix("s3://").partition("/")
    report = prefix.rstrip("/").removesuffix("/report") + "/report/"
    target = (folder or temporary_folder()) / "report"
    target.mkdir(parents=True, exist_ok=True)
    with refused_as(partial(unreadable, reference)):
        held = [key.removeprefix(report) for key in s3.keys(bucket, report)]
        fetched = [name for name in held if name in _FILES or _PART.fullmatch(name)]
        if any(name.startswith(JUDGMENTS) for name in fetched):
            remove_rows(target / JUDGMENTS)  # of a run that was fetched here before
        for name in fetched:
            (target / name).parent.mkdir(exist_ok=True)
            s3.client().download_file(bucket, f"{report}{name}", str(target / name))
    if "metrics.json" not in fetched:
        raise SavedReportError(
            f"s3://{bucket}/{report} holds no metrics.json: the run has not ended, or its id is "
            "another one. `aws s3 ls` of the folder `runs/` lists the runs."
        )
    return target.parent


def keys_below(uri: str) -> list[str]:
    """The keys of all objects below a prefix; raises SavedReportError."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    with refused_as(partial(unreadable, uri)):
        return list(s3.keys(bucket, prefix))


def fetch_object(bucket: str, key: str, target: Path) -> None:
    """Copy an object into a file; raises SavedReportError."""
    with refused_as(partial(unreadable, f"s3://{bucket}/{key}")):
        s3.client().download_file(bucket, key, str(target))


def unreadable(uri: str, error: Exception) -> SavedReportError:
    """The error of what S3 does not give."""
    return SavedReportError(
        f"{uri} cannot be read ({error}). Check the credentials and the bucket's name."
    )


def temporary_folder() -> Path:
    """A new folder that is deleted when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def is_temporary(folder: Path) -> bool:
    """True if the folder, or one above it, is deleted when the program ends."""
    temporary = Path(tempfile.gettempdir())
    return any(
        above.parent == temporary and above.name.startswith(_PREFIX)
        for above in (folder, *folder.parents)
    )


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


class LabelObjects:
    """The folder `labels/` of a run in S3; every reviewer writes an object of their own."""

    def __init__(self, run: str) -> None:
        self._bucket, _, prefix = run.removeprefix("s3://").partition("/")
        self._run = prefix.rstrip("/").removesuffix("/report")
        self._prefix = f"{self._run}/labels/"

    @property
    def where(self) -> str:
        return f"s3://{self._bucket}/{self._prefix.rstrip('/')}"

    def names(self) -> list[str]:
        with refused_as(self._unusable):
            keys = [key.removeprefix(self._prefix) for key in s3.keys(self._bucket, self._prefix)]
        return sorted(name for name in keys if "/" not in name and is_plain(name))

    def read(self, name: str) -> bytes | None:
        with refused_as(self._unusable):
            return s3.read_if_exists(self._bucket, f"{self._prefix}{name}")

    def write(self, name: str, content: bytes) -> None:
        self._put(f"{self._prefix}{name}", content, "application/json")

    def put_report(self, name: str, content: Path, content_type: str) -> None:
        """Replace one file of the run's report."""
        self._put(f"{self._run}/report/{name}", content.read_bytes(), content_type)

    def _put(self, key: str, content: bytes, content_type: str) -> None:
        with refused_as(self._unusable):
            s3.write(self._bucket, key, content, content_type)

    def _unusable(self, error: Exception) -> ReviewError:
        return ReviewError(
            f"{self.where} cannot be used ({error}). A review reads and writes the run's labels/ "
            "and report/: check the credentials."
        )
