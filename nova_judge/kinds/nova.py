"""Nova's container without a judge: benchmarks, own data and rewards of a model under test."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET

from nova_judge.errors import RecipeError
from nova_judge.inputs.own_data import (
    OwnDataForm,
    OwnLine,
    gen_qa_line,
    read_own_data,
    rft_eval_line,
    sources_of_own,
)
from nova_judge.inputs.reading import FROM_FILE, OWN_FIELDS, AnswerSources
from nova_judge.kinds.job import Deployment, FinishedJob, JobRequest, PlannedJob
from nova_judge.kinds.kind import DataLine, JudgedBy, base_model_problem, subjects
from nova_judge.kinds.nova_container import (
    container_functions,
    container_request,
    container_usage,
    task_problem,
)
from nova_judge.layout import RunLayout
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from nova_judge.recipe.benchmarks import benchmarks, split_subtasks
from nova_judge.recipe.compatibility import container_problems
from nova_judge.recipe.nova_block import NovaBlock, NovaProcessor, NovaRlEnv, Switch
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.serverless import PRESET_SCORERS
from nova_judge.recipe.shape import not_one_of
from nova_judge.records import Rejected
from nova_judge.runs.run import Run
from nova_judge.runs.usage import JudgeUsage, Workload
from nova_judge.scores.container_scores import CONTAINER_FACTS, container_job
from nova_judge.scores.found import ScoresFound, collected_scores

AGGREGATIONS = ("average", "min", "max", "sum")

_LAMBDA = re.compile(r"arn:[\w.-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?")
_MISTYPED = 0.9
"""The likeness to a preset from which on a scorer's name is a slip: as that of a file it would be
sought in vain when the instance is paid for."""
_SCORER_FILE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class NovaScores:
    """One task of the container; `needs` and `uses` as of `Kind`.

    `data` is what its file is called, None for tasks that bring their questions; `form` is how a
    line of it is written. `scorer` is where the container reads `judge.scorer`; None: nowhere.
    """

    data: str | None = None
    form: OwnDataForm = gen_qa_line
    scorer: Literal["processor", "rl_env"] | None = None
    uses: frozenset[str] = frozenset({"judge.evaluate_base_model"})
    needs: frozenset[str] = frozenset({"judge.nova"})
    fields: tuple[str, ...] = OWN_FIELDS
    generates: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        yield from task_problem(recipe) if self.data else _benchmark_problem(recipe)
        yield from self._scorer_problems(recipe)
        yield from _aggregation_problem(recipe.nova)
        yield from base_model_problem(recipe, customised_model(recipe.nova))
        yield from container_problems(recipe)

    def needs_file(self, recipe: Recipe) -> bool:
        return self.data is not None

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        model = recipe.nova.run.model_name_or_path
        return JudgedBy(model, "model", container=True, functions=container_functions(recipe))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        models = 2 if recipe.judge.evaluate_base_model else 1
        if self.data:
            return container_usage(recipe, jobs=models, rows=models * workload.rows)
        why = catalog.assumptions().benchmark_questions.why
        return container_usage(recipe, jobs=models, rows=models * _questions(recipe), also=(why,))

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        return sources_of_own(self.rows(recipe, [head], len(head), FROM_FILE))

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[OwnLine | Rejected]:
        return read_own_data(chunks, size, self.form, recipe.map)

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        """One for each model under test; all read the same file."""
        nova, layout = run.recipe.nova, RunLayout(run.run_id)
        customised = customised_model(nova)
        base = base_model(nova.run.model_type) if customised else nova.run.model_name_or_path
        return tuple(
            PlannedJob(
                number=number,
                api="nova",
                subject=subject,
                label=label,
                last=rows,
                data=layout.judge_data(0, self.data) if self.data else None,
                rows=layout.judge_rows(0) if self.data else None,
            )
            for number, (subject, label) in enumerate(subjects(run.recipe, base, customised))
        )

    def data_line(self, run: Run, row: OwnLine, job: PlannedJob) -> DataLine:
        return DataLine(row.sent, row.row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        """The recipe has the subject's model and the scorer where the container reads them."""
        recipe = run.recipe
        nova = self.with_scorer(recipe.nova, recipe.judge.scorer, deployed_scorers(deployment))
        model = msgspec.structs.replace(nova.run, model_name_or_path=job.label)
        nova = msgspec.structs.replace(nova, run=model)
        judge = msgspec.structs.replace(recipe.judge, nova=nova)
        asked = msgspec.structs.replace(recipe, judge=judge)
        return container_request(run, asked, job, deployment)

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> ScoresFound:
        scores = (container_job(planned.subject, output, rows) for planned, output, rows in jobs)
        return collected_scores(CONTAINER_FACTS, scores)

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
        elif not (_LAMBDA.fullmatch(scorer) or _SCORER_FILE.fullmatch(scorer)) or (
            difflib.get_close_matches(scorer, PRESET_SCORERS, 1, _MISTYPED)
        ):
            also = "the name of a file in scorers/ without .py, or the ARN of a Lambda function"
            yield not_one_of("judge.scorer", scorer, PRESET_SCORERS, also)

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


BENCHMARK = NovaScores()
OWN_DATA = NovaScores(
    data="gen_qa.jsonl",
    scorer="processor",
    uses=frozenset({"judge.evaluate_base_model", "judge.scorer"}),
)
REWARDS = NovaScores(
    data="rft_eval.jsonl",
    form=rft_eval_line,
    scorer="rl_env",
    uses=frozenset({"judge.evaluate_base_model", "judge.scorer"}),
)


def customised_model(nova: NovaBlock) -> str | None:
    """The customised model under test; None for a base model."""
    model = nova.run.model_name_or_path
    return model if model.startswith("s3://") else None


def base_model(model_type: str) -> str:
    """The base model of a customised one, from its type."""
    model = catalog.compatibility().models.get(model_type)
    if model is None:
        raise RecipeError(f"judge.nova.run.model_type: {model_type!r} has no known base model")
    return model.model_name_or_path


def deployed_scorers(deployment: Deployment) -> Callable[[str], str]:
    """From the name of a file in `scorers/` to the function that the stack made of it."""
    partition = partition_of(deployment.region).name
    return lambda name: (
        f"arn:{partition}:lambda:{deployment.region}:{deployment.account}:function:"
        f"{scorer_function_name(deployment.job_prefix, name)}"
    )


def scorer_function_name(prefix: str, scorer: str) -> str:
    """AWS wants the names of reward functions to begin with `SageMaker-`."""
    return f"SageMaker-{prefix}-{scorer}"[:64]


def _benchmark_problem(recipe: Recipe) -> Iterator[str]:
    task = recipe.nova.evaluation.task
    if task not in benchmarks():
        yield f"judge.nova.evaluation.task: found {task!r}; kind {recipe.kind} needs a benchmark"


def _questions(recipe: Recipe) -> float:
    """The number of questions in the benchmark's named sub-tasks; in all where none is named."""
    evaluation = recipe.nova.evaluation
    questions = catalog.assumptions().benchmark_questions.value[evaluation.task]
    every = benchmarks()[evaluation.task].subtasks
    subtask = evaluation.subtask if isinstance(evaluation.subtask, str) else ""
    named = split_subtasks(subtask)
    return questions * len(named) / len(every) if named and every else questions


def _aggregation_problem(nova: NovaBlock) -> Iterator[str]:
    aggregation = nova.processor.aggregation if nova.processor is not UNSET else UNSET
    if aggregation is not UNSET and aggregation not in AGGREGATIONS:
        yield not_one_of("judge.nova.processor.aggregation", str(aggregation), AGGREGATIONS)


def _processor(**keys: str) -> NovaProcessor:
    return NovaProcessor(
        **keys,
        preprocessing=Switch(enabled=False),
        postprocessing=Switch(enabled=True),
        aggregation="average",
    )
