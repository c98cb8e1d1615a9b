"""A run where it lies: a folder on disk, or `s3://bucket/runs/<id>/` fetched to one."""

import atexit
import shutil
import tempfile
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from nova_judge.aws import s3
from nova_judge.errors import SavedReportError

_FILES = ("metrics.json", "judgments.parquet", "scores.parquet", "report.md", "report.html")


def open_run(reference: str, folder: Path | None = None) -> Path:
    """The run's folder on disk. What lies in S3 is downloaded: its report, into `folder` or a
    temporary folder that is deleted when the program ends. Raises SavedReportError.
    """
    if not reference.startswith("s3://"):
        return Path(reference)
    bucket, _, prefix = reference.removeprefix("s3://").partition("/")
    report = prefix.rstrip("/").removesuffix("/report") + "/report/"
    target = (folder or _temporary()) / "report"
    target.mkdir(parents=True, exist_ok=True)
    try:
        fetched = [name for name in _FILES if _download(bucket, f"{report}{name}", target / name)]
    except (ClientError, BotoCoreError) as error:
        raise SavedReportError(
            f"{reference} cannot be read ({error}). Check the credentials and the bucket's name."
        ) from error
    if "metrics.json" not in fetched:
        raise SavedReportError(
            f"s3://{bucket}/{report} holds no metrics.json: the run has not ended, or its id is "
            "another one. `aws s3 ls` of the folder `runs/` lists the runs."
        )
    return target.parent


def _download(bucket: str, key: str, target: Path) -> bool:
    if key not in s3.keys(bucket, key):
        return False
    s3.client().download_file(bucket, key, str(target))
    return True


def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nova-judge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
