"""The expected usage of a run: instance hours, tokens, transitions.

The judge's speed is that of the stage's own runs where they tell it, else it is assumed.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.inputs.dataset import cut
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import CandidateSpec, Recipe
from nova_judge.runs.usage import (
    UNKNOWN,
    InstanceTime,
    JudgeUsage,
    TokenUse,
    Usage,
    Workload,
    tokens_of,
)
from nova_judge.sources.known_sources import endpoint_instances, source_of
from nova_judge.text import count_of

LEAST_RUNS = 3


class JudgedBefore(NamedTuple):
    """A run that ended: rows judged, jobs, and billed seconds of all of them."""

    rows: int
    jobs: int
    seconds: float


class Throughput(NamedTuple):
    """Seconds until a job judges its first row, and for each row; out of so many runs."""

    start_s: float
    row_s: float
    runs: int

    @property
    def words(self) -> str:
        """The assumption that stands behind an estimate."""
        return (
            f"the judge of {count_of(self.runs, 'run')} of this stage: {self.start_s / 60:.1f} "
            f"minutes to start a job, {1 / self.row_s:.2f} rows a second (least squares)"
        )


def throughput_of(runs: Sequence[JudgedBefore]) -> Throughput | None:
    """Fit `seconds = jobs * start + rows * row` by least squares.

    None for fewer than three runs, and where their sizes do not tell start and rows apart: the fit
    is singular, or one of the two came out as no time at all.
    """
    if len(runs) < LEAST_RUNS:
        return None
    sizes = np.array([[run.jobs, run.rows] for run in runs], dtype=float)
    seconds = np.array([run.seconds for run in runs])
    fitted, _, rank, _ = np.linalg.lstsq(sizes, seconds, rcond=None)
    start_s, row_s = map(float, fitted)
    if rank < 2 or start_s < 0 or row_s <= 0 or not math.isfinite(start_s + row_s):
        return None
    return Throughput(start_s, row_s, len(runs))


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
    judging: JudgeUsage,
    *,
    answer_share: float,
    to_the_limit: bool = False,
) -> Usage:
    """The usage of one run. `answer_share`: the part of max_tokens that an answer uses.

    `to_the_limit`: every judge job runs until its time limit, and one that needs longer to its end.
    """
    supposed = catalog.assumptions()
    limit_s = recipe.judge.max_runtime_s
    shards = sum(1 for _ in cut(workload.size, recipe.shards.bytes))
    answered = (_token_use(recipe, side, workload, answer_share) for side in workload.generated)
    return Usage(
        judge_jobs=tuple(
            job._replace(seconds=max(job.seconds, limit_s)) if to_the_limit else job
            for job in judging.jobs
        ),
        endpoints=(*_endpoint_times(recipe, workload, answer_share), *judging.endpoints),
        bedrock=(*filter(None, answered), *judging.bedrock),
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


def _token_use(
    recipe: Recipe, side: str, workload: Workload, answer_share: float
) -> TokenUse | None:
    spec, generation = recipe.candidate(side), recipe.generation_for(side)
    per_token = catalog.assumptions().characters_per_token.value
    batch = source_of(spec).takes_batches(spec) and answers_in_batch(generation, workload.rows)
    read = workload.prompt_characters + len(generation.system or "") + _template_characters(spec)
    written = workload.rows * generation.max_tokens * answer_share
    return tokens_of(spec, workload.rows * read / per_token, written, batch=batch)


def _template_characters(spec: CandidateSpec) -> int:
    """Characters that a candidate's templates and examples add to each prompt, at most."""
    shown = len(str(spec.examples)) if spec.examples else 0
    return shown + sum(len(turn.content) for turn in spec.turns)
