"""A run where it lies: a folder on disk, or `s3://bucket/runs/<id>/` fetched to one."""

import atexit
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path

from nova_judge.aws import s3
from nova_judge.aws.client_errors import refused_as
from nova_judge.errors import SavedReportError
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.row_files import remove_rows

_FILES = ("metrics.json", "judgments.parquet", "scores.parquet", "report.md", "report.html")
_PART = re.compile(r"judgments\.parquet/part-\d{5}\.parquet")
_PREFIX = "nova-judge-read-"


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
