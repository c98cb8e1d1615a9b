"""A kind that only the dict names goes the whole way, from its recipe to its report."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from lambdas import build_jobs, claim_run, plan_evaluation, process_results
from nova_judge.aws import account as account_facts
from nova_judge.cli.request import example_jobs
from nova_judge.errors import RecipeError
from nova_judge.inputs.dataset import FROM_FILE, AnswerSources, read_rows
from nova_judge.kinds.job import Deployment, FinishedJob, JobRequest, PlannedJob, job_place
from nova_judge.kinds.kind import DataLine, JudgedBy
from nova_judge.kinds.known_kinds import KINDS
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import RunLayout
from nova_judge.preflight.rules import Facts
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow, Rejected
from nova_judge.runs.run import Run
from nova_judge.runs.usage import InstanceTime, JudgeUsage, Workload
from nova_judge.scores.found import JobScores, ScoresFound, collected_scores
from nova_judge.scores.table import AnswerScore
from tests.unit.conftest import BUCKET

RECIPE = "kind: lengths\njudge: {scorer: characters}\nbudget: {max_usd: 5}\n"
ROWS = [{"prompt": f"q{n}", "response_A": "a" * n, "response_B": "b"} for n in (1, 2, 3)]


@dataclass(frozen=True)
class Lengths:
    """Measures each answer A; its job writes one number per row."""

    needs: frozenset[str] = frozenset({"judge.scorer"})
    uses: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ("prompt",)
    generates: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        if recipe.judge.scorer != "characters":
            yield f"judge.scorer: found {recipe.judge.scorer!r}; allowed: characters"

    def needs_file(self, recipe: Recipe) -> bool:
        return True

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        return JudgedBy("a ruler", "judge")

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        time = InstanceTime("ml.g5.xlarge", float(workload.rows))
        return JudgeUsage(jobs=(time,), rests_on=("a row is measured in a second",))

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        return FROM_FILE

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[InputRow | Rejected]:
        return read_rows(chunks, size, sources)

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        layout = RunLayout(run.run_id)
        job = PlannedJob(
            number=0,
            api="nova",
            subject="A",
            label="the first answer",
            last=rows,
            data=layout.judge_data(0, "lengths.txt"),
            rows=layout.judge_rows(0),
        )
        return (job,)

    def data_line(self, run: Run, row: InputRow, job: PlannedJob) -> DataLine:
        return DataLine(f"{row.response_A}\n".encode(), row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        place = job_place(run, job, deployment)
        body = {"TrainingJobName": place.name, "HyperParameters": {"file": place.data_uri}}
        key = f"{RunLayout(run.run_id).judge(0)}ruler.txt"
        return JobRequest("CreateTrainingJob", body, ((key, b"in characters"),))

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> ScoresFound:
        ((planned, output, _),) = jobs
        lengths = output.inference_output[0].read_text().split()
        scores = [
            AnswerScore(planned.subject, "characters", line, float(length))
            for line, length in enumerate(lengths, start=1)
        ]
        return collected_scores({}, [JobScores(planned.subject, scores)])


@pytest.fixture(autouse=True)
def lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "lengths", Lengths())


def test_its_recipe_is_checked_and_its_request_shown() -> None:
    for text, said in (
        ("kind: lengths\n", "judge.scorer: missing; kind lengths needs it"),
        (RECIPE.replace("characters", "words"), "found 'words'; allowed: characters"),
        (f"{RECIPE}stop: when_decided\n", "stop: kind lengths does not use it"),
    ):
        with pytest.raises(RecipeError, match=f"own.yaml: .*{said}"):
            load_recipe(text, file="own.yaml")
    (job,) = example_jobs(load_recipe(RECIPE, file="own.yaml"), "us-east-1")
    assert job.body["HyperParameters"] == {
        "file": "s3://DATA-BUCKET/runs/RUN-ID/judge/0/input/lengths.txt"
    }


def test_it_is_planned_built_and_published_like_any_other(account, context, monkeypatch) -> None:
    facts = Facts(region="us-east-1", caller="arn:function")
    monkeypatch.setattr(account_facts, "facts_of_run", lambda *_, **__: facts)
    account.put("recipes/own.yaml", RECIPE.encode())
    content = b"".join(json.dumps(row).encode() + b"\n" for row in (*ROWS, {"prompt": "no answer"}))
    account.put("inbox/own/rows.jsonl", content)
    asked = {"input": f"s3://{BUCKET}/inbox/own/rows.jsonl", "recipe": "own"}
    planned = plan_evaluation.handler(
        {"input": asked, "execution": "arn:one", "started": "2026-11-21T00:00:00Z"}, context
    )
    assert planned["run"]["estimate"]["workload"]["rows"] == 3
    claimed = claim_run.handler(planned, context)
    assert claimed["generates"] is False
    run_id = claimed["run_id"]

    built = build_jobs.handler({"run_id": run_id, "region": "us-east-1"}, context)

    layout = RunLayout(run_id)
    assert account.read(layout.judge_data(0, "lengths.txt")) == b"a\naa\naaa\n"
    assert account.read(f"{layout.judge(0)}ruler.txt") == b"in characters"
    assert [line["line"] for line in account.lines(layout.rejected)] == [4]
    assert (built["api"], built["later"], built["done"]) == ("nova", [], 1)
    name = f"{built['jobs'][0]['request']['TrainingJobName']}-0"
    output = layout.judge_output(0)
    account.put(f"{output}{name}/eval_results/inference_output.jsonl", b"1 2 3")
    event = {
        "detail-type": "SageMaker Training Job State Change",
        "detail": {
            "TrainingJobName": name,
            "TrainingJobStatus": "Completed",
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{output}"},
        },
    }
    assert process_results.handler(event, context)["status"] == "REPORTED"

    metrics = account.json(layout.report_file("metrics.json"))
    assert (metrics["kind"], metrics["status"]) == ("lengths", "completed")
    assert metrics["judge"]["model"] == "a ruler"
    assert metrics["rows"] == {
        "input": 4,
        "rejected": 1,
        "generation_failed": 0,
        "judge_failed": 0,
        "judged": 3,
    }
    (score,) = metrics["scores"]
    assert (score["metric"], score["estimate"]) == ("characters", 2.0)
    assert b"characters" in account.read(layout.report_file("report.html"))
    assert set(account.keys(layout.report)) >= {layout.report_file("scores.parquet")}
