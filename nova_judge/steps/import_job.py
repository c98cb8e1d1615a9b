"""Imports the output of a job that others ran: from an archive, a folder or S3 to a report.

Whoever opens a report opens such an output, too.
"""

import re
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.aws.fetched_runs import fetch_object, keys_below, open_run, temporary_folder
from nova_judge.errors import SavedReportError
from nova_judge.findings.imported_facts import GivenFile, JobSource
from nova_judge.findings.imported_job import ImportedJob, imported_job
from nova_judge.findings.metrics_record import encode_metrics, storable_metrics
from nova_judge.findings.saved_report import METRICS, SavedReport, find_metrics, open_report
from nova_judge.records import Candidate
from nova_judge.report.report_rows import ReportRows, ScoredAnswers, judged_pairs
from nova_judge.runs.archive import fetch, is_archive
from nova_judge.scores.bedrock_results import read_output_line
from nova_judge.scratch import scratch_folder
from nova_judge.text import count_of

_MOST_FILES = 20_000
_OUTPUT = re.compile(r"output\.tar\.gz|results_.*\.json|details_.*\.parquet|.*_output\.jsonl")
_ARCHIVE_KEY = "job/output/output.tar.gz"
_JUDGED_KEY = "job/models/model/taskTypes/General/datasets/data/file_output.jsonl"


class _Found(NamedTuple):
    """Names of a job's files as S3 would have them, how to copy one, and the newest's moment."""

    names: list[str]
    download: Callable[[str, Path], None]
    created: str


def import_job(
    reference: str,
    out: Path,
    given: GivenFile | None = None,
    names: dict[Candidate, str] | None = None,
    *,
    draw: bool = True,
) -> SavedReport:
    """Write the run folder of the job whose output is at `reference`, and open it.

    Without `draw` only `metrics.json` and the rows are written. Raises JudgeJobError and
    SavedReportError.
    """
    found = _find(reference)
    with scratch_folder() as folder:
        output = fetch(found.names, found.download, folder / "job")
        source = JobSource(reference, output, found.created, names or {})
        _write(imported_job(source, given, folder), out, draw=draw)
    return open_report(out)


def is_job_output(path: Path) -> bool:
    """True if a local path is a job's archive, a Bedrock evaluation's output file, or a folder that
    holds either, or an unpacked archive, and no report.
    """
    if path.is_dir():
        files = path.rglob("*") if next(find_metrics(path), None) is None else ()
        return any(_OUTPUT.fullmatch(file.name) for file in islice(files, _MOST_FILES))
    if not path.is_file():
        return False
    return is_archive(path) or (path.suffix == ".jsonl" and _is_judged(path))


def _is_judged(path: Path) -> bool:
    with path.open("rb") as file:
        return read_output_line(file.readline(1 << 22)) is not None


def _find(reference: str) -> _Found:
    if reference.startswith("s3://"):
        return _in_s3(reference)
    path = Path(reference)
    if path.is_file():
        key = _JUDGED_KEY if path.suffix == ".jsonl" else _ARCHIVE_KEY
        return _Found([key], lambda _, target: _copy(path, target), _moment([path]))
    if not path.is_dir():
        raise SavedReportError(f"{reference}: no such file or folder.")
    files = [file for file, _ in zip(path.rglob("*"), range(_MOST_FILES), strict=False)]
    by_name = {f"job/{file.relative_to(path).as_posix()}": file for file in files if file.is_file()}
    archives = [name for name in by_name if name.endswith("/output.tar.gz")]
    if len(archives) > 1:
        listed = ", ".join(sorted(archives)[:5])
        raise SavedReportError(
            f"{reference} holds {count_of(len(archives), 'job')}; name one: {listed}"
        )
    if archives:  # perhaps copied out of its folder `output`
        by_name = {_ARCHIVE_KEY: by_name[archives[0]]}
    return _Found(
        list(by_name), lambda key, target: _copy(by_name[key], target), _moment(by_name.values())
    )


def _in_s3(uri: str) -> _Found:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")

    def fetched(name: str, target: Path) -> None:
        key = prefix if name == _ARCHIVE_KEY and archive else name.removeprefix("job/")
        fetch_object(bucket, key, target)

    archive = prefix.endswith(".tar.gz")
    names = [_ARCHIVE_KEY] if archive else [f"job/{key}" for key in keys_below(uri)]
    return _Found(names, fetched, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _copy(path: Path, target: Path) -> None:
    shutil.copyfile(path, target)


def _moment(files: Iterable[Path]) -> str:
    newest = max((file.stat().st_mtime for file in files), default=0.0)
    return datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(job: ImportedJob, out: Path, *, draw: bool) -> None:
    report = out / "report"
    report.mkdir(parents=True, exist_ok=True)
    metrics = storable_metrics(job.metrics)
    rows: ReportRows = ScoredAnswers(job.scores)
    if job.pairs is not None:
        rows = judged_pairs(job.pairs(), metrics.run_id)
    if draw:
        # Only drawing needs matplotlib, which costs as much as the rest of a command's start.
        from nova_judge.report.write import write_report  # noqa: PLC0415

        write_report(report, metrics, rows, job.rejected)
    else:
        (report / METRICS).write_bytes(encode_metrics(metrics))
        (report / rows.file).write_bytes(rows.parquet or b"")
    if job.rejected:
        lines = b"".join(msgspec.json.encode(line) + b"\n" for line in job.rejected)
        (out / "rejected.jsonl").write_bytes(lines)


def report_at(reference: str, kept: Path | None = None) -> SavedReport:
    """The report of a run: its folder, its metrics file, `s3://…`, or the output of any job.

    A job's output is its `output.tar.gz` (in S3 too), the folder that it was unpacked to, or what a
    Bedrock evaluation wrote: it is imported into a folder that goes when the program ends, as is
    what S3 holds without `kept`. Raises SavedReportError and JudgeJobError.
    """
    in_s3 = reference.startswith("s3://")
    if reference.endswith(".tar.gz") if in_s3 else is_job_output(Path(reference)):
        return import_job(reference, temporary_folder(), draw=False)
    return open_report(open_run(reference, kept))
