"""Nova's container without a judge: benchmarks, own data and rewards of a model under test."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET

from nova_judge.kinds.kind import JudgedBy, base_model_problem
from nova_judge.kinds.nova_container import (
    container_functions,
    container_problems,
    container_usage,
    task_problem,
)
from nova_judge.recipe import catalog
from nova_judge.recipe.benchmarks import benchmarks, split_subtasks
from nova_judge.recipe.nova_block import NovaBlock, NovaProcessor, NovaRlEnv, Switch
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.serverless import PRESET_SCORERS
from nova_judge.runs.usage import JudgeUsage, Workload

AGGREGATIONS = ("average", "min", "max", "sum")

_LAMBDA = re.compile(r"arn:[\w.-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?")
_SCORER_FILE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class NovaScores:
    """One task of the container; `needs` and `uses` as of `Kind`.

    `scorer` is where the container reads `judge.scorer`; None where it takes none.
    """

    reads_file: bool
    scorer: Literal["processor", "rl_env"] | None = None
    uses: frozenset[str] = frozenset({"judge.evaluate_base_model"})
    needs: frozenset[str] = frozenset({"judge.nova"})
    generates: bool = False
    compares: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        yield from task_problem(recipe) if self.reads_file else _benchmark_problem(recipe)
        yield from self._scorer_problems(recipe)
        yield from _aggregation_problem(recipe.nova)
        yield from base_model_problem(recipe, customised_model(recipe.nova))
        yield from container_problems(recipe)

    def needs_file(self, recipe: Recipe) -> bool:
        return self.reads_file

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        model = recipe.nova.run.model_name_or_path
        return JudgedBy(model, "model", container=True, functions=container_functions(recipe))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        subjects = 2 if recipe.judge.evaluate_base_model else 1
        if self.reads_file:
            return container_usage(recipe, jobs=subjects, rows=subjects * workload.rows)
        why = catalog.assumptions().benchmark_questions.why
        asked = subjects * _questions(recipe)
        return container_usage(recipe, jobs=subjects, rows=asked, also=(why,))

    def _scorer_problems(self, recipe: Recipe) -> Iterator[str]:
        nova, scorer = recipe.nova, recipe.judge.scorer
        rewards = self.scorer == "rl_env"
        if scorer is None:
            if rewards and nova.rl_env is UNSET:
                yield f"judge.scorer: missing; kind {recipe.kind} needs a reward function"
            return
        if nova.processor is not UNSET or nova.rl_env is not UNSET:
            yield "judge.scorer: judge.nova names a function too; keep one of the two"
        if scorer in PRESET_SCORERS:
            if rewards:
                yield (
                    f"judge.scorer: {scorer} belongs to gen_qa; {recipe.kind} takes a function of "
                    "your own"
                )
        elif not _LAMBDA.fullmatch(scorer) and not _SCORER_FILE.fullmatch(scorer):
            yield (
                f"judge.scorer: found {scorer!r}; allowed: {', '.join(PRESET_SCORERS)}, the name "
                "of a file in scorers/ without .py, or the ARN of a Lambda function"
            )

    def with_scorer(
        self, nova: NovaBlock, scorer: str | None, arn_of: Callable[[str], str]
    ) -> NovaBlock:
        """The container's recipe with `judge.scorer` written where the container reads it.

        `arn_of` gives the ARN of the function that the stack deployed from `scorers/<name>.py`.
        """
        if scorer is None:
            return nova
        if scorer in PRESET_SCORERS:
            processor = _processor(preset_reward_function=scorer)
            return msgspec.structs.replace(nova, processor=processor)
        arn = scorer if scorer.startswith("arn:") else arn_of(scorer)
        if self.scorer == "rl_env":
            return msgspec.structs.replace(nova, rl_env=NovaRlEnv(reward_lambda_arn=arn))
        processor = _processor(
            preset_reward_function="", lambda_arn=arn, lambda_type="custom_metrics"
        )
        return msgspec.structs.replace(nova, processor=processor)


BENCHMARK = NovaScores(reads_file=False)
OWN_DATA = NovaScores(
    reads_file=True,
    scorer="processor",
    uses=frozenset({"judge.evaluate_base_model", "judge.scorer"}),
)
REWARDS = NovaScores(
    reads_file=True,
    scorer="rl_env",
    uses=frozenset({"judge.evaluate_base_model", "judge.scorer"}),
)


def customised_model(nova: NovaBlock) -> str | None:
    """The customised model under test; None for a base model."""
    model = nova.run.model_name_or_path
    return model if model.startswith("s3://") else None


def _benchmark_problem(recipe: Recipe) -> Iterator[str]:
    task = recipe.nova.evaluation.task
    if task not in benchmarks():
        yield f"judge.nova.evaluation.task: found {task!r}; kind {recipe.kind} needs a benchmark"


def _questions(recipe: Recipe) -> float:
    """How many questions the benchmark's named sub-tasks ask; all of them where none is named."""
    evaluation = recipe.nova.evaluation
    questions = catalog.assumptions().benchmark_questions.value[evaluation.task]
    every = benchmarks()[evaluation.task].subtasks
    subtask = evaluation.subtask if isinstance(evaluation.subtask, str) else ""
    named = split_subtasks(subtask)
    return questions * len(named) / len(every) if named and every else questions


def _aggregation_problem(nova: NovaBlock) -> Iterator[str]:
    aggregation = nova.processor.aggregation if nova.processor is not UNSET else UNSET
    if aggregation is not UNSET and aggregation not in AGGREGATIONS:
        yield (
            f"judge.nova.processor.aggregation: found {aggregation!r}; "
            f"allowed: {', '.join(AGGREGATIONS)}"
        )


def _processor(**keys: str) -> NovaProcessor:
    return NovaProcessor(
        **keys,
        preprocessing=Switch(enabled=False),
        postprocessing=Switch(enabled=True),
        aggregation="average",
    )
