"""The rows of a run, a judge job at a time: each is read once and kept as a part of the report.

A part is `judgments.parquet` of its rows, their evidence without texts, and a sample for the page.
It is kept when its job ends, so that whoever writes the report reads no text at all, and no
function ever has more than one job's rows.
"""

import functools
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.aws import s3
from nova_judge.errors import JudgeJobError
from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.run_evidence import (
    COLUMNS_FILE,
    COUNTS_FILE,
    EvidenceCollector,
    RunEvidence,
    join_parts,
    read_counts,
    read_packed,
    write_part,
)
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.kinds.job import FinishedJob, PlannedJob
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import RunLayout
from nova_judge.pairs.judged_rows import PairsFound
from nova_judge.parquet import join_files
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.page_rows import KeptRows, RowSample
from nova_judge.report.report_rows import KeptPairs
from nova_judge.report.slider_data import WeightsEvidence
from nova_judge.runs.archive import fetch
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.run import Run
from nova_judge.steps import run_folder
from nova_judge.text import count_of

MOST_ROWS_A_FILE = 200_000
"""Of several jobs: so many rows stand in one `judgments.parquet`, more in a folder of that name."""
_SAMPLE, _RESULTS = "sample.json", "results.json"


class JoinedParts(NamedTuple):
    """All rows of a run without their texts; `notes` say in how many the details contradict."""

    found: RunEvidence
    shown: KeptPairs
    results: list[Path]
    notes: tuple[str, ...]


def finished_job(bucket: str, outcome: JobOutcome, folder: Path) -> FinishedJob:
    """A job's output and rows, copied into a folder. Raises JudgeJobError."""
    layout = RunLayout(outcome.run_id)
    planned = s3.read_record(bucket, layout.judge_job(outcome.number), PlannedJob)
    download = functools.partial(run_folder.download, bucket)
    # A run that was redriven or asked for again has output of earlier jobs beside this one's.
    left = f"{layout.judge_output(outcome.number)}{outcome.name}/"
    keys = list(s3.keys(bucket, left))
    if not keys:
        raise JudgeJobError(f"s3://{bucket}/{left} is empty: the job left no file to read")
    output = fetch(keys, download, folder)
    if planned.rows is None:
        return FinishedJob(planned, output)
    rows = folder / "rows.jsonl"
    download(planned.rows, rows)
    return FinishedJob(planned, output, rows)


def pairs_of(bucket: str, run: Run, outcomes: Sequence[JobOutcome], folder: Path) -> PairsFound:
    """The verdicts that jobs wrote, in a folder. Raises JudgeJobError."""
    jobs = [finished_job(bucket, ended, folder / str(ended.number)) for ended in outcomes]
    pairs = kind_of(run.recipe.kind).results(run, jobs)
    if not isinstance(pairs, PairsFound):
        raise JudgeJobError(f"the jobs of {run.run_id} judged no pairs")
    return pairs


def keep_part(bucket: str, run: Run, outcome: JobOutcome) -> None:
    """Read the rows of a job and keep them, unless they are kept. Raises JudgeJobError."""
    place = RunLayout(run.run_id).judge_part(outcome.number, outcome.name)
    if s3.read_if_exists(bucket, f"{place}{COUNTS_FILE}") is not None:
        return
    with tempfile.TemporaryDirectory() as folder:
        pairs = pairs_of(bucket, run, [outcome], Path(folder, "job"))
        keep_pairs(bucket, run, outcome, pairs)


def keep_pairs(bucket: str, run: Run, outcome: JobOutcome, pairs: PairsFound) -> None:
    """Keep what was read of a job as its part; the counts, written last, say that it is whole."""
    place = RunLayout(run.run_id).judge_part(outcome.number, outcome.name)
    notes: Counter[str] = Counter()
    sample, collector = RowSample(run.run_id), EvidenceCollector()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_judgments(collector.watch(sample.watch(pairs.rows(notes))), folder / JUDGMENTS)
        s3.upload(folder / JUDGMENTS, bucket, f"{place}{JUDGMENTS}", CONTENT_TYPES[JUDGMENTS])
        (folder / JUDGMENTS).unlink()
        write_part(collector.take(), folder, notes)
        (folder / _SAMPLE).write_bytes(msgspec.json.encode(sample.kept()))
        if pairs.results:
            (folder / _RESULTS).write_bytes(pairs.results[0].read_bytes())
        for name in (_SAMPLE, _RESULTS, COLUMNS_FILE, COUNTS_FILE):
            if (folder / name).exists():
                s3.upload(folder / name, bucket, f"{place}{name}")


def read_parts(bucket: str, run: Run, parts: Sequence[JobOutcome], folder: Path) -> JoinedParts:
    """The parts of a run, joined in the order of its jobs; `folder` takes what is copied."""
    layout = RunLayout(run.run_id)
    folders = [folder / str(part.number) for part in parts]
    sample, weights = RowSample(run.run_id), WeightsEvidence()
    notes: Counter[str] = Counter()
    for part, target in zip(parts, folders, strict=True):
        target.mkdir(parents=True)
        place = layout.judge_part(part.number, part.name)
        for key in s3.keys(bucket, place):
            name = key.removeprefix(place)
            if name in (_SAMPLE, _RESULTS, COLUMNS_FILE, COUNTS_FILE):
                run_folder.download(bucket, key, target / name)
        sample.extend(msgspec.json.decode((target / _SAMPLE).read_bytes(), type=KeptRows))
        weights.extend(read_packed(target))
        notes.update(read_counts(target).notes)
    results = [target / _RESULTS for target in folders if (target / _RESULTS).exists()]
    odd = tuple(f"{count_of(rows, 'row')}: {why}" for why, rows in notes.most_common())
    return JoinedParts(join_parts(folders), KeptPairs(sample, weights), results, odd)


def place_rows(
    bucket: str,
    run: Run,
    parts: Sequence[JobOutcome],
    rows: int,
    most_rows: int = MOST_ROWS_A_FILE,
) -> None:
    """Put the rows beside the page: one file, of very many rows of several jobs one per job."""
    layout = RunLayout(run.run_id)
    keys = [f"{layout.judge_part(part.number, part.name)}{JUDGMENTS}" for part in parts]
    target = layout.report_file(JUDGMENTS)
    if len(keys) == 1:
        s3.copy(bucket, keys[0], target)
    elif rows > most_rows:
        for number, key in enumerate(keys):
            s3.copy(bucket, key, f"{target}/part-{number:05d}.parquet")
    else:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{number}.parquet") for number in range(len(keys))]
            for key, file in zip(keys, files, strict=True):
                run_folder.download(bucket, key, file)
            join_files(files, Path(folder, JUDGMENTS))
            s3.upload(Path(folder, JUDGMENTS), bucket, target, CONTENT_TYPES[JUDGMENTS])
