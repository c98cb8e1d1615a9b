"""Amazon Bedrock's judge: scores of single answers, each candidate's in jobs of its own.

A job takes at most 1,000 prompts: more are split, and because every figure is computed from rows,
the parts merge exactly.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nova_judge.errors import InputFileError
from nova_judge.inputs.dataset import read_rows
from nova_judge.inputs.reading import FIELDS, AnswerSources, reading_of
from nova_judge.kinds.job import (
    Deployment,
    FinishedJob,
    JobPlace,
    JobRequest,
    PlannedJob,
    job_place,
)
from nova_judge.kinds.kind import DataLine, JudgedBy
from nova_judge.layout import RunLayout
from nova_judge.recipe import catalog
from nova_judge.recipe.bedrock_judge import BedrockJudge, bedrock_evaluation, bedrock_problems
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Candidate, FailedRow, InputRow, Rejected
from nova_judge.runs.run import Run, sources_in
from nova_judge.runs.usage import JudgeUsage, TokenUse, Workload
from nova_judge.scores.bedrock_results import bedrock_job, judge_facts
from nova_judge.scores.found import ScoresFound, collected_scores

MOST_BEDROCK_JOBS = 500
"""Each has a child execution, of whose 25,000 events a look takes 11: four days take 2,400. What
children give back, at most 400 bytes each, must fit the state and one event of EventBridge."""

TASK_TYPE = "General"  # what LLM judging needs, though botocore's list of task types lacks it
DATASET_NAME = "nova-judge"


@dataclass(frozen=True)
class BedrockScores:
    """Bedrock's judge in evaluation jobs; `needs` and `uses` as of `Kind`."""

    needs: frozenset[str] = frozenset({"judge.bedrock"})
    uses: frozenset[str] = frozenset()
    fields: tuple[str, ...] = FIELDS
    generates: bool = True

    def problems(self, recipe: Recipe) -> Iterator[str]:
        yield from (f"judge.bedrock.{problem}" for problem in bedrock_problems(recipe.bedrock))

    def needs_file(self, recipe: Recipe) -> bool:
        return True

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        evaluator = recipe.bedrock.evaluator
        return JudgedBy(evaluator, "judge", bedrock=frozenset({evaluator}))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        judge, supposed = recipe.bedrock, catalog.assumptions().evaluator_tokens_per_score
        scores = workload.rows * len(judge.judged) * len(judge.metric_names)
        read, written = (scores * supposed.value[way] for way in ("input", "output"))
        return JudgeUsage(
            bedrock=(TokenUse(judge.evaluator, read, written, price=judge.price),),
            rests_on=(supposed.why,),
        )

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        return sources_in(recipe, head, recipe.bedrock.judged)

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[InputRow | FailedRow | Rejected]:
        return read_rows(chunks, size, sources, reading_of(recipe))

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        """Each candidate's jobs. Raises InputFileError for more than one run can follow."""
        judge, layout = run.recipe.bedrock, RunLayout(run.run_id)
        parts = job_parts(rows, judge.prompts_per_job)
        wanted = [(candidate, part) for candidate in judge.judged for part in parts]
        check_bedrock_jobs(len(wanted))
        return tuple(
            PlannedJob(
                number=number,
                api="bedrock",
                subject=candidate,
                label=run.candidate_label(candidate),
                first=part.start,
                last=part.stop,
                data=layout.judge_data(number, "prompts.jsonl"),
                rows=layout.judge_rows(number),
            )
            for number, (candidate, part) in enumerate(wanted)
        )

    def data_line(self, run: Run, row: InputRow, job: PlannedJob) -> DataLine:
        return DataLine(dataset_line(row, candidate_of(job), _source(job)), row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        place = job_place(run, job, deployment)
        body = evaluation_job_request(run.recipe.bedrock, place, _source(job))
        return JobRequest("CreateEvaluationJob", body, state_body=pascal_case(body))

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> ScoresFound:
        judge = run.recipe.bedrock
        scores = (
            bedrock_job(judge, candidate_of(planned), output, rows)
            for planned, output, rows in jobs
        )
        return collected_scores(judge_facts(judge), scores)


def candidate_of(job: PlannedJob) -> Candidate:
    """Candidate whose answers a job scores."""
    return "A" if job.subject == "A" else "B"


def _source(job: PlannedJob) -> str:
    return source_identifier(job.subject, job.label)


def source_identifier(subject: str, label: str) -> str:
    """The name under which Bedrock knows a candidate's answers (`inferenceSourceIdentifier`)."""
    return f"{subject}-{re.sub(r'[^a-zA-Z0-9._-]+', '-', label)}"[:256]


def evaluation_job_request(judge: BedrockJudge, place: JobPlace, source: str) -> dict[str, Any]:
    """The CreateEvaluationJob request for one file of at most 1,000 answers of one candidate.

    The state machine adds the job's name as its idempotency token.
    """
    evaluators = {"bedrockEvaluatorModels": [{"modelIdentifier": judge.evaluator}]}
    automated: dict[str, Any] = {
        "datasetMetricConfigs": [
            {
                "taskType": TASK_TYPE,
                "dataset": {
                    "name": DATASET_NAME,
                    "datasetLocation": {"s3Uri": place.data_uri or ""},
                },
                "metricNames": list(judge.metric_names),
            }
        ],
        "evaluatorModelConfig": evaluators,
    }
    if judge.custom_metrics:
        automated["customMetricConfig"] = {
            "customMetrics": [
                {"customMetricDefinition": metric.definition()} for metric in judge.custom_metrics
            ],
            "evaluatorModelConfig": evaluators,
        }
    return {
        "jobName": place.name.lower(),
        "roleArn": place.role_arn,
        "applicationType": "ModelEvaluation",
        "evaluationConfig": {"automated": automated},
        "inferenceConfig": {
            "models": [{"precomputedInferenceSource": {"inferenceSourceIdentifier": source}}]
        },
        "outputDataConfig": {"s3Uri": place.output_uri},
        "jobTags": [{"key": key, "value": value} for key, value in sorted(place.tags.items())],
    }


def job_parts(rows: int, prompts_per_job: int) -> tuple[range, ...]:
    """The rows of each job: as few jobs as the limit allows, filled in order."""
    most = min(prompts_per_job, bedrock_evaluation().limits.prompts_per_job)
    return tuple(range(start, min(start + most, rows)) for start in range(0, rows, most))


def dataset_line(row: InputRow, candidate: Candidate, source: str) -> bytes:
    """One line of the file that Bedrock reads: a prompt with exactly one answer."""
    line: dict[str, Any] = {"prompt": row.shown}
    if row.reference is not None:
        line["referenceResponse"] = row.reference
    if row.category is not None:
        line["category"] = row.category
    line["modelResponses"] = [{"response": row.response(candidate), "modelIdentifier": source}]
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def pascal_case(request: Any) -> Any:  # noqa: ANN401 - JSON
    """A request with the key names that Step Functions' SDK integrations expect."""
    if isinstance(request, dict):
        return {key[:1].upper() + key[1:]: pascal_case(value) for key, value in request.items()}
    if isinstance(request, Sequence) and not isinstance(request, str):
        return [pascal_case(value) for value in request]
    return request


def check_bedrock_jobs(jobs: int) -> None:
    """Raise InputFileError where a run asks for more Bedrock jobs than it can follow."""
    if jobs > MOST_BEDROCK_JOBS:
        raise InputFileError(
            f"the rows make {jobs:,} Bedrock evaluation jobs, one run can follow "
            f"{MOST_BEDROCK_JOBS}: split the file into runs of its parts, or make the jobs larger "
            "(judge.bedrock.prompts_per_job); generated answers are not asked again"
        )
