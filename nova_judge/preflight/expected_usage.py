"""The expected usage of a run: instance hours, tokens, transitions."""

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.inputs.shards import cut
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.preflight.throughput import Throughput
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import CandidateSpec, Recipe
from nova_judge.runs.usage import UNKNOWN, InstanceTime, JudgeUsage, TokenUse, Usage, Workload
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.recipe_endpoints import endpoint_instances


def judge_usage(recipe: Recipe, workload: Workload, measured: Throughput | None) -> JudgeUsage:
    """The usage of the judge's jobs: as it was measured before, else as it is assumed."""
    usage = kind_of(recipe.kind).usage(recipe, workload)
    if measured is None or not usage.jobs:
        return usage
    seconds = measured.start_s + measured.row_s * workload.rows / len(usage.jobs)
    jobs = tuple(job._replace(seconds=seconds) for job in usage.jobs)
    return usage._replace(jobs=jobs, rests_on=(measured.words,))


def expected_usage(
    recipe: Recipe,
    workload: Workload,
    *,
    answer_share: float,
    to_the_limit: bool = False,
    measured: Throughput | None = None,
) -> Usage:
    """The usage of one run. `answer_share`: the part of max_tokens that an answer uses.

    `to_the_limit`: every judge job runs until its time limit, and one that needs longer to its end.
    """
    supposed = catalog.assumptions()
    judging = judge_usage(recipe, workload, measured)
    limit_s = recipe.judge.max_runtime_s
    shards = sum(1 for _ in cut(workload.size, recipe.shards.bytes))
    return Usage(
        judge_jobs=tuple(
            job._replace(seconds=max(job.seconds, limit_s)) if to_the_limit else job
            for job in judging.jobs
        ),
        endpoints=(*_endpoint_times(recipe, workload, answer_share), *judging.endpoints),
        bedrock=(
            *(
                _token_use(recipe, side, workload, answer_share)
                for side in workload.generated
                if source_of(recipe.candidate(side)).payment(recipe.candidate(side)) == "tokens"
            ),
            *judging.bedrock,
        ),
        unpriced=judging.unpriced,
        transitions=supposed.transitions_per_run.value
        + shards * supposed.transitions_per_shard.value,
        lambda_gb_seconds=workload.rows
        * len(workload.generated)
        * supposed.lambda_gb_seconds_per_row.value,
    )


def generation_seconds(recipe: Recipe, workload: Workload, answer_share: float) -> float:
    """Seconds of the slowest candidate; all answer at once."""
    supposed = catalog.assumptions()
    busy_s = _endpoint_seconds(recipe, workload, answer_share)
    start_s = supposed.endpoint_start_minutes.value * 60 if busy_s else 0.0
    specs = [recipe.candidate(side) for side in workload.generated]
    called = any(source_of(spec).hosting(spec) is None for spec in specs)
    called_s = workload.rows / supposed.bedrock_rows_per_second.value if called else 0.0
    return start_s + max(*busy_s.values(), called_s, 0.0)


def _endpoint_times(
    recipe: Recipe, workload: Workload, answer_share: float
) -> tuple[InstanceTime, ...]:
    """One endpoint per model, shared by candidates of that model; up until the last one is done."""
    up_s = generation_seconds(recipe, workload, answer_share)
    instances = endpoint_instances(map(recipe.candidate, workload.generated))
    return tuple(
        InstanceTime(types[0] if types else UNKNOWN, up_s, 1, model)
        for model, types in instances.items()
    )


def _endpoint_seconds(recipe: Recipe, workload: Workload, answer_share: float) -> dict[str, float]:
    """Seconds that each endpoint needs for the tokens of all its candidates."""
    seconds: dict[str, float] = {}
    for side in workload.generated:
        spec = recipe.candidate(side)
        if hosting := source_of(spec).hosting(spec):
            tokens = workload.rows * recipe.generation_for(side).max_tokens * answer_share
            busy_s = tokens / hosting.tokens_per_second
            seconds[hosting.endpoint] = seconds.get(hosting.endpoint, 0.0) + busy_s
    return seconds


def _token_use(recipe: Recipe, side: str, workload: Workload, answer_share: float) -> TokenUse:
    spec, generation = recipe.candidate(side), recipe.generation_for(side)
    source = source_of(spec)
    per_token = catalog.assumptions().characters_per_token.value
    batch = source.takes_batches(spec) and answers_in_batch(generation, workload.rows)
    read = workload.prompt_characters + len(generation.system or "") + _template_characters(spec)
    return TokenUse(
        source.title(spec),
        workload.rows * read / per_token,
        workload.rows * generation.max_tokens * answer_share,
        batch,
        spec.price,
        spec.source,
    )


def _template_characters(spec: CandidateSpec) -> int:
    """Characters that a candidate's templates and examples add to each prompt, at most."""
    shown = len(str(spec.examples)) if spec.examples else 0
    return shown + sum(len(turn.content) for turn in spec.turns)
