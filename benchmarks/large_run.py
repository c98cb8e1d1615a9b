"""How far one run reaches: time and memory of each function over a million rows and more.

    python benchmarks/large_run.py [--rows 1000000] [--jobs 4] [--parts 1] [--json]
                                   [--folder FOLDER]

The steps of the functions run on a bucket that is a folder, with recorded answers and verdicts;
each in a process of its own, whose processor time, requests to S3 and peaks of memory and disk are
measured: the files of one job, the rows of one job, the report over all. A row has a prompt of 100
characters and two answers of 300. What S3 takes is not in the figures, what the archive of a judge
job takes is. With `--parts 10` the report is written once more over ten times as many rows: each
part stands ten times, under other prompts.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from folder_s3 import FolderS3
from multiplied_parts import multiply
from watched_disk import Disk

from nova_judge.answers.answers import Answer
from nova_judge.aws import s3
from nova_judge.inputs.dataset import Shard
from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.job import Deployment
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import RunLayout
from nova_judge.parquet import write_parquet
from nova_judge.recipe.files import packaged_recipe
from nova_judge.records import S3Object
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.training_job_request import training_job_name
from nova_judge.steps import run_folder, shard_files
from nova_judge.steps.job_data import build_jobs
from nova_judge.steps.job_files import FilePiece, write_piece
from nova_judge.steps.judged_parts import keep_part
from nova_judge.steps.publish import publish

BUCKET, KEY, PREFIX = "data", "inbox/pairwise/large.jsonl", "nova-judge-dev"
STEPS = ("input", "shards", "build", "files", "judge", "read", "report", "multiply", "reports")
OURS = {
    "shards": "GenerateResponses, all shards",
    "build": "BuildJobs",
    "files": "WriteJobFiles, a job",
    "read": "ProcessResults, a job's rows",
    "report": "ProcessResults, the report",
    "reports": "ProcessResults, the report of all parts",
}
OF_ONE = {"files", "read"}
WORDS = ("the", "answer", "names", "a", "reason", "and", "then", "it", "says", "how", "found")
DETAILS = {
    "full_prompt": "VARCHAR",
    "gold": "VARCHAR[]",
    "metrics": "VARCHAR",
    "predictions": "VARCHAR[]",
    "pred_logits": "DOUBLE[]",
}


def text(number: int, length: int) -> str:
    """Words that differ from row to row."""
    words = [WORDS[(number * 7 + at * at) % len(WORDS)] for at in range(length // 6)]
    return f"{number} {' '.join(words)}"[:length]


def prepare_input(folder: Path, rows: int) -> None:
    path = folder / KEY
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for number in range(rows):
            file.write(
                msgspec.json.encode({"id": f"r{number}", "prompt": text(number, 100)}) + b"\n"
            )


def run_of(folder: Path, rows: int, jobs: int) -> Run:
    recipe = load_recipe(packaged_recipe("pairwise"), file="recipes/pairwise.yaml")
    judge = msgspec.structs.replace(recipe.judge, max_rows_per_job=max(1, rows // jobs))
    recipe = msgspec.structs.replace(recipe, judge=judge)
    size = (folder / KEY).stat().st_size if (folder / KEY).exists() else 0
    return Run(
        run_id="large-0123456789ab",
        execution="arn:aws:states:us-east-1:123456789012:execution:machine:one",
        created="2026-11-29T00:00:00Z",
        input=S3Object(BUCKET, KEY, "v", size),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=AnswerSources("generated", "generated"),
    )


def answer_shards(run: Run) -> None:
    """GenerateResponses for every shard, with answers that are there already."""
    layout, shards = RunLayout(run.run_id), list(run.shards())
    s3.write(BUCKET, layout.shards, msgspec.json.encode(shards))
    for shard in shards:
        answer_shard(run, shard)


def answer_shard(run: Run, shard: Shard) -> None:
    rows = shard_files.read_rows(run, shard)
    shard_files.write_rows(BUCKET, run, shard, rows)
    for side, candidate in enumerate(("A", "B")):
        answers = (Answer(text(row.line + side, 300), output_tokens=60) for row in rows.rows)
        shard_files.write_responses(BUCKET, run, shard, candidate, answers)


def build(run: Run) -> int:
    """Plan the jobs, whose files are written by others; the bytes of what the state carries."""
    role = "arn:aws:iam::123456789012:role/Judge"
    place = Deployment(BUCKET, "us-east-1", "123456789012", PREFIX, role, "dev")
    return len(msgspec.json.encode(build_jobs(run, place, most_rows_at_once=0)))


def write_files(run: Run, number: int) -> None:
    pieces = s3.read(BUCKET, RunLayout(run.run_id).job_files)
    write_piece(run, BUCKET, msgspec.json.decode(pieces, type=list[FilePiece])[number])


def judge_jobs(run: Run, folder: Path) -> None:
    """What the container leaves of each job: an archive with details and results."""
    summary = run_folder.read_summary(BUCKET, run.run_id)
    assert summary is not None
    for number in range(summary.jobs):
        name = f"{training_job_name(PREFIX, run.run_id, run.execution, number)}-0"
        data = folder / RunLayout(run.run_id).judge_data(number, "llm_judge.jsonl")
        with tempfile.TemporaryDirectory(dir=folder) as made:
            details, results = Path(made, "details.parquet"), Path(made, "results.json")
            write_parquet(details, DETAILS, _details(data))
            results.write_text(json.dumps({"results": {"all": {}}}), "utf-8")
            key = f"{RunLayout(run.run_id).judge_output(number)}{name}/output/output.tar.gz"
            target = folder / key
            target.parent.mkdir(parents=True)
            stamp = "2026-11-29T00-00-00.000000"
            with tarfile.open(target, "w:gz", compresslevel=1) as archive:
                archive.add(
                    details,
                    f"run/eval_results/details/model/{stamp}/details_custom|llm_judge_judge|0_{stamp}.parquet",
                )
                archive.add(results, f"run/eval_results/results_{stamp}.json")
        outcome = JobOutcome(
            run_id=run.run_id,
            number=number,
            name=name,
            status="Completed",
            output_uri=f"s3://{BUCKET}/{key}",
            instance_type="ml.g5.12xlarge",
            instance_count=1,
        )
        run_folder.write_outcome(BUCKET, outcome)


def _details(data: Path) -> Iterator[dict[str, object]]:
    with data.open("rb") as lines:
        for number, line in enumerate(lines):
            forward = "ABB"[number % 3]
            backward = "BAA"[number % 3] if number % 5 else forward
            metrics = {"forward_output": f"[[{forward}]]", "backward_output": f"[[{backward}]]"}
            yield {
                "full_prompt": json.loads(line)["prompt"],
                "gold": [],
                "metrics": repr(metrics),
                "predictions": [f"[[{forward}]]", f"[[{backward}]]"],
                "pred_logits": [],
            }


def ended(run: Run) -> tuple[DatasetSummary, list[JobOutcome]]:
    summary = run_folder.read_summary(BUCKET, run.run_id)
    assert summary is not None
    return summary, run_folder.read_outcomes(BUCKET, run, summary)


def report(run: Run) -> None:
    published = publish(BUCKET, run, *ended(run))
    assert published.metrics.rows.judged, published


def take_step(asked: argparse.Namespace) -> None:
    """One step in this process; prints what it took."""
    step, folder = asked.step, asked.folder
    store = FolderS3(folder)
    s3.client = lambda: store  # type: ignore[assignment]
    disk = Disk(folder / "scratch")
    tempfile.tempdir = str(folder / "scratch")
    run = run_of(folder, asked.rows, asked.jobs)
    state = 0
    before, began = time.process_time(), time.perf_counter()
    if step == "input":
        prepare_input(folder, asked.rows)
    elif step == "shards":
        answer_shards(run)
    elif step == "build":
        state = build(run)
    elif step == "files":
        write_files(run, asked.number)
    elif step == "judge":
        judge_jobs(run, folder)
    elif step == "read":
        keep_part(BUCKET, run, ended(run)[1][asked.number])
    elif step == "multiply":
        multiply(BUCKET, run, folder, ended(run), asked.parts)
    else:
        report(run)
    taken = {
        "step": step,
        "cpu_s": round(time.process_time() - before, 1),
        "wall_s": round(time.perf_counter() - began, 1),
        "disk_mb": disk.stop() >> 20,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "shards": len(list(run.shards())),
        "state_bytes": state,
        "requests": dict(store.requests),
    }
    sys.stdout.write(json.dumps(taken) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        take_step(asked)
        return
    folder = Path(tempfile.mkdtemp(prefix="nova-judge-large-", dir=asked.folder))
    try:
        for step in STEPS if asked.parts > 1 else STEPS[:7]:
            for number in range(asked.jobs if step in OF_ONE else 1):
                print_taken(taken_by(step, number, folder, asked), asked)
    finally:
        shutil.rmtree(folder)


def taken_by(step: str, number: int, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """What a step took in a process of its own."""
    given = {"step": step, "number": number, "folder": folder}
    given |= {name: getattr(asked, name) for name in ("rows", "jobs", "parts")}
    options = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    command = [sys.executable, __file__, *options]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    taken: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return taken


def print_taken(taken: dict[str, Any], asked: argparse.Namespace) -> None:
    step = taken["step"]
    if asked.json or step not in OURS:
        print(json.dumps(taken) if asked.json else f"({step}: {taken['wall_s']} s)", flush=True)
        return
    rows = asked.rows // asked.jobs if step in OF_ONE else asked.rows
    rows *= asked.parts if step == "reports" else 1
    print(
        f"{OURS[step]:40} {taken['cpu_s']:8.1f} CPU s {taken['cpu_s'] / rows * 1e6:6.1f} µs a row "
        f"{taken['peak_mb']:6,} MB {taken['disk_mb']:6,} MB on disk",
        flush=True,
    )


if __name__ == "__main__":
    main()
