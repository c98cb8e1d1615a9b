"""SageMaker's serverless evaluation of model packages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from nova_judge.inputs.own_data import OwnLine, gen_qa_line, read_own_data, sources_of_own
from nova_judge.inputs.reading import FROM_FILE, OWN_FIELDS, AnswerSources
from nova_judge.kinds.job import (
    Deployment,
    FinishedJob,
    JobPlace,
    JobRequest,
    JobStep,
    PlannedJob,
    job_place,
)
from nova_judge.kinds.kind import DataLine, JudgedBy, base_model_problem, subjects
from nova_judge.kinds.serverless_requests import (
    answers_uri,
    custom_metrics_file,
    evaluation_request,
    inference_request,
    judging_request,
)
from nova_judge.layout import RunLayout
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.serverless import ServerlessJudge, serverless_problems
from nova_judge.records import Rejected
from nova_judge.runs.results_json import stand_in_of
from nova_judge.runs.run import Run
from nova_judge.runs.usage import JudgeUsage, Workload
from nova_judge.scores.bedrock_results import RowNumbers, judge_facts, llmaj_job
from nova_judge.scores.container_scores import CONTAINER_FACTS, container_job
from nova_judge.scores.found import JobScores, ScoresFound, collected_scores

_ONE_STEP: tuple[JobStep, ...] = ("score",)
_TWO_STEPS: tuple[JobStep, ...] = ("answer", "judge")


@dataclass(frozen=True)
class ServerlessScores:
    """Benchmarks, scorers and Bedrock's judge without instances of ours."""

    needs: frozenset[str] = frozenset({"judge.serverless"})
    uses: frozenset[str] = frozenset({"judge.scorer", "judge.evaluate_base_model"})
    fields: tuple[str, ...] = OWN_FIELDS
    generates: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        serverless = recipe.serverless
        for problem in serverless_problems(serverless, recipe.judge.scorer):
            yield f"judge.{problem}"
        yield from base_model_problem(recipe, serverless.model_package)

    def needs_file(self, recipe: Recipe) -> bool:
        return recipe.serverless.needs_file

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        judge = recipe.serverless.llmaj
        if judge is None:
            return JudgedBy(recipe.serverless.model_name, "model")
        return JudgedBy(judge.evaluator, "judge", bedrock=frozenset({judge.evaluator}))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        return JudgeUsage(unpriced=("serverless evaluation",))

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        return sources_of_own(self.rows(recipe, [head], len(head), FROM_FILE))

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[OwnLine | Rejected]:
        return read_own_data(chunks, size, gen_qa_line, recipe.map)

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        serverless, layout = run.recipe.serverless, RunLayout(run.run_id)
        steps = _ONE_STEP if serverless.llmaj is None else _TWO_STEPS
        models = subjects(run.recipe, serverless.model_name, serverless.model_package)
        wanted = [(subject, label, step) for subject, label in models for step in steps]
        return tuple(
            PlannedJob(
                number=number,
                api="serverless",
                subject=subject,
                label=label,
                step=step,
                last=rows,
                data=layout.judge_data(0, "gen_qa.jsonl") if serverless.needs_file else None,
                rows=layout.judge_rows(0) if serverless.needs_file else None,
            )
            for number, (subject, label, step) in enumerate(wanted)
        )

    def data_line(self, run: Run, row: OwnLine, job: PlannedJob) -> DataLine:
        return DataLine(row.sent, row.row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        serverless, place = run.recipe.serverless, _place(run, job, deployment)
        call = "CreateTrainingJob"
        if job.step == "answer":
            return JobRequest(call, inference_request(serverless, job.subject, place))
        if serverless.llmaj is not None:
            return JobRequest(call, *_judging(run, job, deployment, serverless.llmaj))
        scorer = run.recipe.judge.scorer
        return JobRequest(call, evaluation_request(serverless, scorer, job.subject, place))

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> ScoresFound:
        judge, numbers = run.recipe.serverless.llmaj, RowNumbers()

        def scores_of(job: FinishedJob) -> JobScores:
            subject = job.planned.subject
            if job.planned.step == "judge":
                return llmaj_job(subject, job.output, numbers)
            if job.planned.step == "answer":
                return JobScores(subject, [], stand_in=stand_in_of(job.output.results))
            return container_job(subject, job.output, job.rows)

        facts = CONTAINER_FACTS if judge is None else judge_facts(judge)
        return collected_scores(facts, map(scores_of, jobs))


def _judging(
    run: Run, job: PlannedJob, deployment: Deployment, judge: ServerlessJudge
) -> tuple[dict[str, object], tuple[tuple[str, bytes], ...]]:
    """The request that judges what the job before wrote, and the file of custom metrics."""
    metrics, key = custom_metrics_file(judge), RunLayout(run.run_id).judge_metrics(job.number)
    before = _place(run, msgspec.structs.replace(job, number=job.number - 1), deployment)
    body = judging_request(
        run.recipe.serverless,
        job.subject,
        _place(run, job, deployment),
        judge=judge,
        answers_uri=answers_uri(job.subject, before),
        custom_metrics_uri=f"s3://{deployment.bucket}/{key}" if metrics else None,
    )
    return body, ((key, metrics),) if metrics else ()


def _place(run: Run, job: PlannedJob, deployment: Deployment) -> JobPlace:
    place = job_place(run, job, deployment)
    return place._replace(
        name=f"{place.name}-0",  # the next step reads where this name writes
        output_uri=place.output_uri.rstrip("/"),
        data_uri=place.data_uri or run.recipe.serverless.dataset,
    )
