"""The report of a run reads what its own jobs wrote, whatever else lies beside it."""

import io
import json
import tarfile
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nova_judge.kinds.job import PlannedJob
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.layout import RunLayout
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.steps.publish import publish
from tests.unit.conftest import BUCKET
from tests.unit.kinds.test_jobs import HERE, LLMAJ, recipe, run
from tests.unit.kinds.test_known_kinds import shipped

ROWS = 4
OURS = HERE._replace(bucket=BUCKET)
JUDGED = "uuid/models/m/taskTypes/General/datasets/nova-judge/uuid_output.jsonl"


def attempt(account: Any, asked: Run, score: float, redrive: int = 0) -> list[JobOutcome]:
    """One attempt's jobs give every row the score; how they ended."""
    outcomes = []
    kind = kind_of(asked.recipe.kind)
    for job in kind.jobs(asked, ROWS):
        request = kind.request(asked, job, OURS).body
        name = request.get("TrainingJobName") or request["jobName"]
        name = name if job.api == "serverless" else f"{name}-{redrive}"
        output = RunLayout(asked.run_id).judge_output(job.number)
        account.put(RunLayout(asked.run_id).judge_job(job.number), msgspec.json.encode(job))
        put_output(account, asked, job, f"{output}{name}/", request, score)
        outcomes.append(
            JobOutcome(
                run_id=asked.run_id,
                number=job.number,
                name=name,
                status="Completed",
                output_uri=f"s3://{BUCKET}/{output}",
                instance_type="",
                instance_count=0,
            )
        )
    return outcomes


def put_output(
    account: Any, asked: Run, job: PlannedJob, folder: str, request: dict[str, Any], score: float
) -> None:
    if job.api == "nova":
        account.put(f"{folder}output/output.tar.gz", archive(score))
    elif job.api == "bedrock":
        row = InputRow(line=1, prompt="q", id="1", response_A="r", response_B="r")
        rows = [msgspec.structs.replace(row, line=n, prompt=f"q{n}") for n in range(ROWS)]
        held = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        account.put(RunLayout(asked.run_id).judge_rows(job.number), held)
        account.put(f"{folder}{JUDGED}", judgments(score))
    elif job.step == "judge":
        # Which name the container gives Bedrock's job is not ours to know.
        below = request["HyperParameters"]["output_path"].removeprefix(f"s3://{BUCKET}/")
        account.put(f"{below.rstrip('/')}/job-{score}/{JUDGED}", judgments(score))
    else:
        account.put(f"{folder}output/output/eval_results/inference_output.jsonl", b"")
        account.put(job.rows, b"")


def archive(score: float) -> bytes:
    details, packed = io.BytesIO(), io.BytesIO()
    columns = {"metrics": [repr({"accuracy": score})] * ROWS, "predictions": [[]] * ROWS}
    pq.write_table(pa.table(columns), details)
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (
            ("results_1.json", json.dumps({"results": {"all": {"accuracy": score}}}).encode()),
            ("details/m/t/details_x_1.parquet", details.getvalue()),
        ):
            member = tarfile.TarInfo(f"run/eval_results/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def judgments(score: float) -> bytes:
    scores = [{"metricName": "Builtin.Correctness", "result": score}]
    lines = (
        {
            "automatedEvaluationResult": {"scores": scores},
            "inputRecord": {"prompt": f"q{number}"},
            "modelResponses": [{"response": "r"}],
        }
        for number in range(ROWS)
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize(
    ("of", "redrive"),
    [
        pytest.param(shipped("benchmark-mmlu"), 0, id="container asked for again"),
        pytest.param(shipped("benchmark-mmlu"), 1, id="container redriven"),
        pytest.param(shipped("bedrock-judge"), 0, id="bedrock asked for again"),
        pytest.param(shipped("bedrock-judge"), 1, id="bedrock redriven"),
        # A redrive of a serverless job looks at the job that is there.
        pytest.param(recipe(LLMAJ), 0, id="serverless judge asked for again"),
    ],
)
def test_what_an_earlier_attempt_left_is_not_read(account, of: Recipe, redrive: int) -> None:
    before = run(of)  # its jobs' names sort before those of the other execution
    asked = before if redrive else msgspec.structs.replace(before, execution="arn:second")
    attempt(account, before, 0.25)
    outcomes = attempt(account, asked, 0.75, redrive)

    summary = DatasetSummary(
        input=ROWS,
        rejected=0,
        generation_failed=0,
        rows=ROWS,
        jobs=len(outcomes),
        cached=0,
        rejected_reasons=(),
        failed_reasons=(),
    )
    metrics = publish(BUCKET, asked, summary, outcomes).metrics

    assert metrics.rows.judged == ROWS
    measured = [entry for entry in metrics.scores if entry.rows]
    assert measured
    assert {entry.rows for entry in measured} == {ROWS}
    scores = pq.read_table(
        io.BytesIO(account.read(f"{RunLayout(asked.run_id).report}scores.parquet"))
    )
    assert set(scores["score"].drop_null().to_pylist()) == {0.75}
