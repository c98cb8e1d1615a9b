"""The output of a job: the objects that are read, each as a file of ours.

The names come from S3 and from archives: they are matched against the documented layouts and never
used as paths.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from nova_judge.errors import JudgeJobError

_TASK = re.compile(r"details_(?P<task>.+)_\d{4}-\d\d-\d\d[^/]*\.parquet$")
_FOLDER = r"(?:[^/]*/)*eval[_-]results?/"


class FileKind(NamedTuple):
    """One kind of file that is read: the names it may have, and the name it gets."""

    pattern: re.Pattern[str]
    stem: str
    suffix: str


RESULTS: Final = FileKind(re.compile(_FOLDER + r"results_[^/]*\.json"), "results", ".json")
DETAILS: Final = FileKind(
    re.compile(_FOLDER + r"details/(?:[^/]*/)*details_[^/]*\.parquet"), "details", ".parquet"
)
INFERENCE: Final = FileKind(re.compile(_FOLDER + r"inference_output\.jsonl"), "inference", ".jsonl")
JUDGED: Final = FileKind(
    re.compile(r".*/models/[^/]+/taskTypes/[^/]+/datasets/[^/]+/[^/]+_output\.jsonl"),
    "judged",
    ".jsonl",
)


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

    def only_results(self) -> Path:
        """The results JSON that a judge task writes; raises JudgeJobError with what was found."""
        return self._only(self.results, "results JSON")

    def only_details(self) -> Path:
        """The details Parquet that a judge task writes; raises JudgeJobError as well."""
        return self._only([details.path for details in self.details], "details Parquet")

    def _only(self, files: Sequence[Path], what: str) -> Path:
        if len(files) == 1:
            return files[0]
        shown = ", ".join(self.members[:20]) or "nothing"
        more = f" and {len(self.members) - 20} more" if len(self.members) > 20 else ""
        raise JudgeJobError(
            f"The judge's archive holds {len(files)} {what} instead of one. Found: {shown}{more}."
        )


def output_of(copied: Mapping[FileKind, Mapping[str, Path]], members: Sequence[str]) -> JobOutput:
    """What was copied of each kind, by the names that the job gave to it."""
    results, details, inference, judged = (
        sorted(copied.get(kind, {}).items()) for kind in (RESULTS, DETAILS, INFERENCE, JUDGED)
    )
    return JobOutput(
        tuple(path for _, path in results),
        tuple(Details(task_of(name), path) for name, path in details),
        tuple(path for _, path in inference),
        tuple(path for _, path in judged),
        tuple(members),
    )


def task_of(name: str) -> str:
    """The task in a details file's name: `details_custom|mmlu_zs_cot:anatomy|0_<time>.parquet`."""
    match = _TASK.search(name)
    parts = match["task"].split("|") if match else [""]
    return parts[1] if len(parts) > 1 else parts[0]
