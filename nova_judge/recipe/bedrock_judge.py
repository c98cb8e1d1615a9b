"""Amazon Bedrock's judge (LLM as a judge): the jobs to ask for, and what they wrote.

Bedrock scores single answers, so each candidate has its own jobs. A job takes at most 1,000
prompts: more are split, and because every figure is computed from rows, the parts merge exactly.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import orjson
from msgspec import Meta

from nova_judge.recipe.bedrock_metrics import (
    BUILTIN,
    CustomMetric,
    bedrock_evaluation,
    custom_metric_problems,
    metric_name_problems,
)
from nova_judge.recipe.bedrock_output import OutputScore, read_output_line
from nova_judge.recipe.nova_block import Section, Text
from nova_judge.records import Candidate, InputRow, Unscored

TASK_TYPE = "General"  # what LLM judging needs, though botocore's list of task types lacks it
DATASET_NAME = "nova-judge"
NO_RESULT = Unscored("the judge gave no result")


class BedrockJudge(Section, frozen=True, omit_defaults=True):
    """`judge.bedrock` of a recipe: which model judges which candidates, and by what."""

    evaluator: Text
    metrics: tuple[str, ...] = ()
    custom_metrics: tuple[CustomMetric, ...] = ()
    judged: tuple[Candidate, ...] = ("A", "B")
    prompts_per_job: Annotated[int, Meta(ge=1, le=1000)] = 1000

    @property
    def metric_names(self) -> tuple[str, ...]:
        """`metricNames` of the request: custom metrics must be named there too."""
        return (
            *(f"{BUILTIN}{name}" for name in self.metrics),
            *(metric.name for metric in self.custom_metrics),
        )


def bedrock_problems(judge: BedrockJudge) -> Iterator[str]:
    """What Bedrock would refuse, and what is allowed."""
    if not judge.judged or len(set(judge.judged)) != len(judge.judged):
        yield f"judged: found {list(judge.judged)}; A, B or both are allowed"
    names = [metric.name for metric in judge.custom_metrics]
    yield from metric_name_problems(judge.metrics, names)
    for number, metric in enumerate(judge.custom_metrics):
        for problem in custom_metric_problems(metric):
            yield f"custom_metrics[{number}].{problem}"


def source_identifier(candidate: Candidate, label: str) -> str:
    """The name under which Bedrock knows a candidate's answers (`inferenceSourceIdentifier`)."""
    return f"{candidate}-{re.sub(r'[^a-zA-Z0-9._-]+', '-', label)}"[:256]


def evaluation_job_request(
    judge: BedrockJudge,
    *,
    job_name: str,
    role_arn: str,
    dataset_uri: str,
    output_uri: str,
    source: str,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The CreateEvaluationJob request for one file of at most 1,000 answers of one candidate.

    The state machine adds the job's name as its idempotency token.
    """
    evaluators = {"bedrockEvaluatorModels": [{"modelIdentifier": judge.evaluator}]}
    automated: dict[str, Any] = {
        "datasetMetricConfigs": [
            {
                "taskType": TASK_TYPE,
                "dataset": {"name": DATASET_NAME, "datasetLocation": {"s3Uri": dataset_uri}},
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
        "jobName": job_name,
        "roleArn": role_arn,
        "applicationType": "ModelEvaluation",
        "evaluationConfig": {"automated": automated},
        "inferenceConfig": {
            "models": [{"precomputedInferenceSource": {"inferenceSourceIdentifier": source}}]
        },
        "outputDataConfig": {"s3Uri": output_uri},
        "jobTags": [{"key": key, "value": value} for key, value in sorted(tags.items())],
    }


def job_parts(rows: int, prompts_per_job: int) -> tuple[range, ...]:
    """Which rows go into which job: as few jobs as the limit allows, filled in order."""
    most = min(prompts_per_job, bedrock_evaluation().limits.prompts_per_job)
    return tuple(range(start, min(start + most, rows)) for start in range(0, rows, most))


def dataset_line(row: InputRow, candidate: Candidate, source: str) -> bytes:
    """One line of the file that Bedrock reads: a prompt with exactly one answer."""
    line: dict[str, Any] = {"prompt": row.prompt}
    if row.reference is not None:
        line["referenceResponse"] = row.reference
    if row.category is not None:
        line["category"] = row.category
    line["modelResponses"] = [{"response": row.response(candidate), "modelIdentifier": source}]
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class MetricScore(NamedTuple):
    """What the judge said by one metric: a number, a word of the scale, or why there is none."""

    result: float | str | Unscored
    explanation: str = ""


class ScoredAnswer(NamedTuple):
    """One answer with the judge's scores by metric name, without `Builtin.`."""

    row: InputRow
    scores: dict[str, MetricScore]


def scored_answers(
    judge: BedrockJudge, candidate: Candidate, rows: Sequence[InputRow], output: Iterable[bytes]
) -> list[ScoredAnswer]:
    """Every row with what the jobs wrote about its answer, in the order of `rows`.

    Bedrock keeps neither an id nor the order, so lines are matched by prompt and answer; equal
    ones are interchangeable. A row without a line, or a metric without a result, is unscored.
    """
    written: dict[tuple[str, str | None], list[tuple[OutputScore, ...]]] = defaultdict(list)
    for content in output:
        line = read_output_line(content)
        if line is not None:
            written[line.prompt, line.answer].append(line.scores)
    answers = []
    for row in rows:
        found = written.get((row.prompt, row.response(candidate) or ""))
        scores = found.pop(0) if found else None
        answers.append(ScoredAnswer(row, _by_metric(judge, scores)))
    return answers


def _by_metric(
    judge: BedrockJudge, scores: tuple[OutputScore, ...] | None
) -> dict[str, MetricScore]:
    if scores is None:
        missing = MetricScore(Unscored("the job wrote no readable line for this row"))
        return dict.fromkeys(_plain_names(judge), missing)
    # [?] Own metrics are expected under the name that the request gave them.
    by_name = {score.metric: score for score in scores}
    reported = ", ".join(sorted(by_name)) or "nothing"
    absent = MetricScore(Unscored(f"the job did not report this metric: it has {reported}"))
    return {
        name: _metric_score(judge, name, by_name[name]) if name in by_name else absent
        for name in _plain_names(judge)
    }


def _plain_names(judge: BedrockJudge) -> list[str]:
    return [name.removeprefix(BUILTIN) for name in judge.metric_names]


def _metric_score(judge: BedrockJudge, name: str, score: OutputScore) -> MetricScore:
    if score.result is None:
        return MetricScore(NO_RESULT, score.explanation)
    if isinstance(score.result, float):
        low, high = metric_scale(judge.custom_metrics, name)
        if not low <= score.result <= high:
            reason = f"the result {score.result} does not lie in [{low}, {high}]"
            return MetricScore(Unscored(reason), score.explanation)
    return MetricScore(score.result, score.explanation)


def metric_scale(custom: Sequence[CustomMetric], name: str) -> tuple[float, float]:
    """Between which numbers a metric's results lie: the own scale's ends, 0 and 1 for built-in."""
    for metric in custom:
        if metric.name == name and metric.bounds is not None:
            return metric.bounds
    return (0.0, 1.0)


def lower_is_better(custom: Sequence[CustomMetric], name: str) -> bool:
    """Whether less of a metric is better, as with Harmfulness."""
    builtin = bedrock_evaluation().metrics.get(name)
    if builtin is not None:
        return builtin.better == "lower"
    return any(metric.name == name and metric.better == "lower" for metric in custom)
