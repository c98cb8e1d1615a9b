"""The folder that gets a local run: what an earlier run left there goes, nothing else does."""

import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nova_judge.errors import LocalModeError
from nova_judge.layout import RUNS
from nova_judge_local.engine.emulator import Emulator

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOGS = "logs"
MARKER = ".nova-judge-run"
"""Lists what a run wrote, an entry of the folder a line."""


def check(out: Path) -> None:
    """Raises `LocalModeError` unless the folder is new, empty, or holds an earlier run."""
    if out.exists() and not out.is_dir():
        raise LocalModeError(f"{out} is a file: name a folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise LocalModeError(f"{out} holds files that no run wrote: name another with --out.")


def fetch(s3: "S3Client", bucket: str, out: Path) -> None:
    """Copy `runs/<run id>/` into the folder, in place of an earlier run there."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RUNS)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    targets = {key: _target(out, key) for key in keys}
    _clear(out)
    written = {target.relative_to(out.resolve()).parts[0] for target in targets.values()}
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text("\n".join(sorted({LOGS, *written})), "utf-8")
    for key, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))


def keep_logs(emulator: Emulator, out: Path) -> Path:
    """Copy what the engine, the failed functions and the jobs wrote into the run's folder."""
    logs = out / LOGS
    logs.mkdir(parents=True)
    for file in (emulator.log, emulator.function_errors, *emulator.job_logs.glob("*.log")):
        if file.stat().st_size:
            shutil.copyfile(file, logs / file.name)
    return logs


def _target(out: Path, key: str) -> Path:
    """Where an object of the run goes, without `runs/<run id>/`."""
    target = (out / PurePosixPath(*PurePosixPath(key).parts[2:])).resolve()
    if not target.is_relative_to(out.resolve()) or target == out.resolve():
        raise LocalModeError(f"Key {key!r} would be written outside {out}.")
    return target


def _clear(out: Path) -> None:
    marker = out / MARKER
    entries = marker.read_text("utf-8").splitlines() if marker.is_file() else []
    for entry in entries:
        old = out / PurePosixPath(entry).name  # a name, whatever the marker says
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
