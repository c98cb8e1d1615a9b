"""What a run will probably use: instance hours, tokens, transitions."""

import math

import msgspec

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.inputs.shards import cut
from nova_judge.kinds.known import kind_of
from nova_judge.preflight.pricing import InstanceTime, TokenUse, Usage
from nova_judge.recipe import catalog
from nova_judge.recipe.benchmarks import benchmarks, split_subtasks
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Candidate


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What the input asks for. `exact` is False when `rows` is projected from the file's head.

    `prompt_characters` is the mean over the rows seen; `generated` names who has to answer.
    """

    rows: int
    prompt_characters: float = 0.0
    size: int = 0
    generated: tuple[Candidate, ...] = ()
    exact: bool = True


def expected_usage(
    recipe: Recipe, workload: Workload, *, answer_share: float, to_the_limit: bool = False
) -> Usage:
    """The usage of one run. `answer_share`: the part of max_tokens that an answer uses.

    `to_the_limit`: every judge job runs until its time limit stops it.
    """
    supposed = catalog.assumptions()
    shards = sum(1 for _ in cut(workload.size, recipe.shards.bytes))
    return Usage(
        judge_jobs=_judge_times(recipe, workload, to_the_limit=to_the_limit),
        endpoints=_endpoint_times(recipe, workload, answer_share),
        bedrock=(
            *(
                _token_use(recipe, side, workload, answer_share)
                for side in workload.generated
                if recipe.candidate(side).source == "bedrock"
            ),
            *_evaluator_tokens(recipe, workload),
        ),
        unpriced=("serverless evaluation",) if recipe.judge.serverless is not None else (),
        transitions=supposed.transitions_per_run.value
        + shards * supposed.transitions_per_shard.value,
        lambda_gb_seconds=workload.rows
        * len(workload.generated)
        * supposed.lambda_gb_seconds_per_row.value,
    )


def generation_seconds(recipe: Recipe, workload: Workload, answer_share: float) -> float:
    """How long the slowest candidate takes; all answer at once."""
    supposed = catalog.assumptions()
    tokens = _endpoint_tokens(recipe, workload, answer_share)
    rates = supposed.endpoint_tokens_per_second.value
    busy_s = [count / rates[model] for model, count in tokens.items()]
    if any(recipe.candidate(side).source == "bedrock" for side in workload.generated):
        busy_s.append(workload.rows / supposed.bedrock_rows_per_second.value)
    start_s = supposed.endpoint_start_minutes.value * 60 if tokens else 0.0
    return start_s + max(busy_s, default=0.0)


def judge_seconds(recipe: Recipe, workload: Workload) -> float:
    """Instance seconds of all Nova jobs together; 0 for kinds that run none."""
    jobs = _judge_jobs(recipe, workload)
    if not jobs:
        return 0.0
    supposed = catalog.assumptions()
    rate = supposed.judge_rows_per_second.value[recipe.nova.run.model_type]
    start_s = supposed.judge_start_minutes.value * 60
    return jobs * start_s + _subjects(recipe) * _asked(recipe, workload) / rate


def _judge_times(
    recipe: Recipe, workload: Workload, *, to_the_limit: bool
) -> tuple[InstanceTime, ...]:
    jobs = _judge_jobs(recipe, workload)
    limit_s = recipe.judge.max_runtime_s
    seconds = limit_s if to_the_limit else judge_seconds(recipe, workload) / max(jobs, 1)
    return tuple(
        InstanceTime(
            recipe.judge.instance_types[0],
            seconds,
            recipe.judge.instance_count,
            recipe.nova.run.model_name_or_path,
        )
        for _ in range(jobs)
    )


def _judge_jobs(recipe: Recipe, workload: Workload) -> int:
    if recipe.judge.nova is None:
        return 0
    most = recipe.judge.max_rows_per_job
    if not kind_of(recipe.kind).compares or most is None:
        return _subjects(recipe)
    return max(1, math.ceil(workload.rows / most))


def _subjects(recipe: Recipe) -> int:
    """Models under test: a customised one may bring its base model along."""
    return 2 if recipe.judge.evaluate_base_model else 1


def _asked(recipe: Recipe, workload: Workload) -> float:
    """Rows of the input, or the questions of a benchmark's named sub-tasks."""
    if recipe.kind != "benchmark":
        return workload.rows
    evaluation = recipe.nova.evaluation
    questions = catalog.assumptions().benchmark_questions.value[evaluation.task]
    every = benchmarks()[evaluation.task].subtasks
    subtask = evaluation.subtask if isinstance(evaluation.subtask, str) else ""
    named = split_subtasks(subtask)
    return questions * len(named) / len(every) if named and every else questions


def _evaluator_tokens(recipe: Recipe, workload: Workload) -> tuple[TokenUse, ...]:
    """Bedrock's judge scores every answer once a metric."""
    judge = recipe.judge.bedrock
    if judge is None:
        return ()
    per_score = catalog.assumptions().evaluator_tokens_per_score.value
    scores = workload.rows * len(judge.judged) * len(judge.metric_names)
    return (TokenUse(judge.evaluator, scores * per_score["input"], scores * per_score["output"]),)


def _endpoint_times(
    recipe: Recipe, workload: Workload, answer_share: float
) -> tuple[InstanceTime, ...]:
    """One endpoint a model, shared by candidates of that model; up until the last one is done."""
    up_s = generation_seconds(recipe, workload, answer_share)
    instances = recipe.endpoint_instances(workload.generated)
    return tuple(
        InstanceTime(instances[model][0], up_s, 1, model)
        for model in _endpoint_tokens(recipe, workload, answer_share)
    )


def _endpoint_tokens(recipe: Recipe, workload: Workload, answer_share: float) -> dict[str, float]:
    """Tokens that each endpoint has to write."""
    tokens: dict[str, float] = {}
    for side in workload.generated:
        spec = recipe.candidate(side)
        if spec.source == "endpoint":
            written = workload.rows * recipe.generation_for(side).max_tokens * answer_share
            tokens[spec.model] = tokens.get(spec.model, 0.0) + written
    return tokens


def _token_use(
    recipe: Recipe, side: Candidate, workload: Workload, answer_share: float
) -> TokenUse:
    generation = recipe.generation_for(side)
    per_token = catalog.assumptions().characters_per_token.value
    batch = answers_in_batch(generation, workload.rows)
    read = workload.prompt_characters + len(generation.system or "")
    return TokenUse(
        recipe.candidate(side).model,
        workload.rows * read / per_token,
        workload.rows * generation.max_tokens * answer_share,
        batch,
    )
