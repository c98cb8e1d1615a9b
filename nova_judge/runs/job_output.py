"""The output of a job: the objects that are read, each into a file of ours.

The names come from S3 and from archives: they are matched against the documented layouts and never
used as paths.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from nova_judge.runs.archive import read_archive

Download = Callable[[str, Path], None]
"""Copy the object with this key into a file."""

_TASK = re.compile(r"details_(?P<task>.+)_\d{4}-\d\d-\d\d[^/]*\.parquet$")
_ARCHIVE = re.compile(r".*/output/output\.tar\.gz")
_PLAIN = {
    "results": re.compile(r".*/eval[_-]results?/results_[^/]*\.json"),
    "details": re.compile(r".*/eval[_-]results?/details/.*details_[^/]*\.parquet"),
    "inference": re.compile(r".*/eval[_-]results?/inference_output\.jsonl"),
    "judged": re.compile(r".*/models/[^/]+/taskTypes/[^/]+/datasets/[^/]+/[^/]+_output\.jsonl"),
}


class Details(NamedTuple):
    """A details Parquet and the task that its name tells, such as `mmlu_zs_cot:anatomy`."""

    task: str
    path: Path


class JobOutput(NamedTuple):
    """The files of one job on disk, each kind in the order of its original names.

    `members` are the names that the job itself gave to what it left.
    """

    results: tuple[Path, ...] = ()
    details: tuple[Details, ...] = ()
    inference_output: tuple[Path, ...] = ()
    judged: tuple[Path, ...] = ()
    members: tuple[str, ...] = ()


def fetch(keys: Iterable[str], download: Download, folder: Path) -> JobOutput:
    """Copy what is needed of a job's output into `folder`: an archive, or plain files."""
    names = sorted(keys)
    folder.mkdir(parents=True, exist_ok=True)
    archive = next((name for name in names if _ARCHIVE.fullmatch(name)), None)
    plain = {kind: [n for n in names if p.fullmatch(n)] for kind, p in _PLAIN.items()}
    judged = _copied(plain["judged"], "judged", ".jsonl", download, folder)
    if archive is None:
        return JobOutput(
            _copied(plain["results"], "results", ".json", download, folder),
            _with_tasks(
                plain["details"],
                _copied(plain["details"], "details", ".parquet", download, folder),
            ),
            _copied(plain["inference"], "inference", ".jsonl", download, folder),
            judged,
            tuple(names),
        )
    packed = folder / "output.tar.gz"
    download(archive, packed)
    files = read_archive(packed, folder / "archive")
    members = sorted(name for name in files.members if _TASK.search(name) and "/details/" in name)
    return JobOutput(
        files.results,
        _with_tasks(members, files.details),
        files.inference_output,
        judged,
        files.members,
    )


def _copied(
    names: list[str], stem: str, suffix: str, download: Download, folder: Path
) -> tuple[Path, ...]:
    targets = tuple(folder / f"{stem}-{number}{suffix}" for number in range(len(names)))
    for name, target in zip(names, targets, strict=True):
        download(name, target)
    return targets


def _with_tasks(names: list[str], paths: tuple[Path, ...]) -> tuple[Details, ...]:
    """Both are sorted by name; an archive with other names keeps its files, without a task."""
    tasks = [task_of(name) for name in names] if len(names) == len(paths) else [""] * len(paths)
    return tuple(Details(task, path) for task, path in zip(tasks, paths, strict=True))


def task_of(name: str) -> str:
    """The task in a details file's name: `details_custom|mmlu_zs_cot:anatomy|0_<time>.parquet`."""
    match = _TASK.search(name)
    parts = match["task"].split("|") if match else [""]
    return parts[1] if len(parts) > 1 else parts[0]
