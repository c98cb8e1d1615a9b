"""Nova's pair judges: two answers to one prompt, compared in both orders."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.dataset import read_rows
from nova_judge.inputs.reading import FIELDS, AnswerSources, reading_of
from nova_judge.kinds.job import Api, Deployment, FinishedJob, JobRequest, JobStep, PlannedJob
from nova_judge.kinds.kind import DataLine, JudgedBy
from nova_judge.kinds.nova_container import (
    container_functions,
    container_request,
    container_usage,
    task_problem,
)
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import CONTROL_ROWS
from nova_judge.pairs.judged_rows import JudgedFiles, PairsFound
from nova_judge.recipe.compatibility import container_problems
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import FailedRow, InputRow, Rejected
from nova_judge.runs.run import Run, sources_in
from nova_judge.runs.usage import JudgeUsage, Workload


class _Wanted(NamedTuple):
    """A job to plan; `rows` are counted from 0."""

    label: str
    step: JobStep
    rows: range
    pair: tuple[str, str] | None


@dataclass(frozen=True)
class Pairs:
    """The LLM judge and the rubric judge; `needs` and `uses` as of `Kind`.

    `data`: the name of a job's file.
    """

    api: Api = "nova"
    data: str = "llm_judge.jsonl"
    needs: frozenset[str] = frozenset({"judge.nova"})
    uses: frozenset[str] = frozenset({"controls", "stop", "statistics.judge_rates"})
    fields: tuple[str, ...] = FIELDS
    generates: bool = True

    def problems(self, recipe: Recipe) -> Iterator[str]:
        yield from stop_problem(recipe)
        yield from task_problem(recipe)
        yield from container_problems(recipe)

    def needs_file(self, recipe: Recipe) -> bool:
        return True

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        model = recipe.nova.run.model_name_or_path
        return JudgedBy(model, "judge", container=True, functions=container_functions(recipe))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        pairs = len(recipe.compared)
        judging = container_usage(
            recipe,
            jobs=_jobs_of(recipe, workload.rows) * pairs,
            rows=workload.rows * pairs,
        )
        controls = container_usage(recipe, jobs=1, rows=min(CONTROL_ROWS, workload.rows)).jobs
        return judging._replace(jobs=(*judging.jobs, *controls * len(recipe.controls)))

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        return sources_in(recipe, head)

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[InputRow | FailedRow | Rejected]:
        return read_rows(chunks, size, sources, reading_of(recipe))

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        """The jobs of the rows, then one for each control."""
        count, most = _jobs_of(run.recipe, rows), run.recipe.judge.max_rows_per_job or rows
        wanted: list[_Wanted] = [
            _Wanted("pairs", "judge", range(number * most, min((number + 1) * most, rows)), pair)
            for number in range(count)
            for pair in (run.recipe.compared if run.recipe.many else (None,))
        ]
        wanted += [_Wanted(control, "control", range(0), None) for control in run.recipe.controls]
        layout = RunLayout(run.run_id)
        return tuple(
            PlannedJob(
                number=number,
                api=self.api,
                subject="pairs",
                label=label,
                step=step,
                first=part.start,
                last=part.stop,
                data=layout.judge_data(number, self.data),
                rows=layout.judge_rows(number),
                pair=pair,
            )
            for number, (label, step, part, pair) in enumerate(wanted)
        )

    def data_line(self, run: Run, row: InputRow, job: PlannedJob) -> DataLine:
        """The judge takes A for the baseline."""
        row = compared_in(job, row)
        pair = {"prompt": row.shown, "response_A": row.response_A, "response_B": row.response_B}
        return DataLine(msgspec.json.encode(pair) + b"\n", row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        return container_request(run, run.recipe, job, deployment)

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> PairsFound:
        """Verdicts of all jobs; of many candidates the caller gives the jobs of one pair."""
        rows = tuple(_judged(job) for job in jobs if job.planned.step == "judge")
        controls = (job for job in jobs if job.planned.step == "control")
        return PairsFound(rows, tuple((job.planned.label, _judged(job)) for job in controls))


def stop_problem(recipe: Recipe) -> Iterator[str]:
    """An early stop that has nothing to look at before the end."""
    if recipe.stop and recipe.judge.max_rows_per_job is None:
        yield (
            "stop: when_decided looks after each judge job, and without judge.max_rows_per_job "
            "there is only one. Write how many rows a job judges, such as max_rows_per_job: 500"
        )


def compared_in(job: PlannedJob, row: InputRow) -> InputRow:
    """The row with the answers of the two candidates that a job compares, as A and B."""
    if job.pair is None or row.answers is None:
        return row
    a, b = (row.answers[name] for name in job.pair)
    return msgspec.structs.replace(row, response_A=a, response_B=b, answers=None)


def _judged(job: FinishedJob) -> JudgedFiles:
    output = job.output
    if job.rows is None:
        raise JudgeJobError(f"the rows of judge job {job.planned.number} are not there")
    return JudgedFiles(output.only_details(), output.only_results(), job.rows)


def _jobs_of(recipe: Recipe, rows: int) -> int:
    most = recipe.judge.max_rows_per_job
    return 1 if most is None else max(1, math.ceil(rows / most))
