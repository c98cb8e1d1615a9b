"""Many parts made of few: a report over more rows than this machine would read one by one."""

import shutil
from pathlib import Path

import msgspec
import numpy as np

from nova_judge.aws import s3
from nova_judge.findings.run_evidence import COLUMNS_FILE
from nova_judge.findings.saved_report import JUDGMENTS
from nova_judge.layout import RunLayout
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.steps import run_folder


def multiply(
    bucket: str, run: Run, folder: Path, ended: tuple[DatasetSummary, list[JobOutcome]], parts: int
) -> None:
    """Stand each part there so many times, under other prompts and other lines."""
    summary, outcomes = ended
    layout = RunLayout(run.run_id)
    # In a bucket, unlike on a disk, a file and a folder may have one name.
    (folder / layout.report_file(JUDGMENTS)).unlink(missing_ok=True)
    times = [(copy, outcome) for copy in range(1, parts) for outcome in outcomes]
    for number, (copy, outcome) in enumerate(times, start=len(outcomes)):
        name = f"{outcome.name.rpartition('-')[0].rpartition('-')[0]}-{number}-0"
        place = folder / layout.judge_part(outcome.number, outcome.name)
        target = folder / layout.judge_part(number, name)
        shutil.copytree(place, target)
        with np.load(place / COLUMNS_FILE) as kept:
            columns = {column: kept[column] for column in kept.files}
        columns["clusters"] = columns["clusters"] ^ np.uint64(copy * 0x9E3779B97F4A7C15 % 2**64)
        columns["lines"] = columns["lines"] + copy * summary.rows
        np.savez(target / COLUMNS_FILE, **columns)
        changed = msgspec.structs.replace(outcome, number=number, name=name)
        run_folder.write_outcome(bucket, changed)
    rows = summary.rows * parts
    counted = msgspec.structs.replace(
        summary, input=rows, rows=rows, jobs=summary.jobs * parts, cached=0
    )
    s3.write(bucket, layout.dataset, msgspec.json.encode(counted))
