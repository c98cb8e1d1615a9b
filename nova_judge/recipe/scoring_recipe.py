"""What the recipes of the scoring kinds must say: benchmarks, own data, rewards, Bedrock's judge.

These kinds score single answers; the two judging kinds compare pairs.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from nova_judge.recipe.bedrock_judge import bedrock_problems
from nova_judge.recipe.bedrock_metrics import packaged_metric
from nova_judge.recipe.benchmarks import benchmarks
from nova_judge.recipe.nova_block import NovaBlock, NovaProcessor, NovaRlEnv, Switch
from nova_judge.recipe.serverless import PRESET_SCORERS, serverless_problems

if TYPE_CHECKING:
    from nova_judge.recipe.recipe import Judge, Recipe

NOVA_SCORING_KINDS = frozenset({"benchmark", "gen_qa", "rft_eval"})
SCORING_KINDS = NOVA_SCORING_KINDS | {"bedrock_judge", "serverless"}
AGGREGATIONS = ("average", "min", "max", "sum")

_LAMBDA = re.compile(r"arn:[\w.-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?")
_SCORER_FILE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def scores_answers(kind: str) -> bool:
    """Whether a run of this kind scores single answers instead of comparing pairs."""
    return kind in SCORING_KINDS


def needs_file(recipe: "Recipe") -> bool:
    """Whether a run reads an input file; without one it is started by the recipe's name alone."""
    if recipe.kind == "benchmark":
        return False
    return recipe.judge.serverless is None or recipe.judge.serverless.needs_file


def generates(recipe: "Recipe") -> bool:
    """Whether the candidates answer the input's prompts, as far as the file brings no answers."""
    return recipe.kind not in SCORING_KINDS or recipe.kind == "bedrock_judge"


def judge_model(recipe: "Recipe") -> str:
    """Who judges, or which model is evaluated where nobody judges."""
    judge = recipe.judge
    if judge.bedrock is not None:
        return judge.bedrock.evaluator
    if judge.serverless is not None:
        llmaj = judge.serverless.llmaj
        return llmaj.evaluator if llmaj is not None else judge.serverless.model_name
    return recipe.nova.run.model_name_or_path


def has_judge(recipe: "Recipe") -> bool:
    """Whether a model judges; benchmarks, own data and rewards are scored by rules."""
    serverless = recipe.judge.serverless
    if serverless is not None:
        return serverless.llmaj is not None
    return recipe.kind not in NOVA_SCORING_KINDS


def evaluator_models(recipe: "Recipe") -> set[str]:
    """The Bedrock models that judge in a run, for the checks before it."""
    judge = recipe.judge
    llmaj = judge.serverless.llmaj if judge.serverless is not None else None
    return {held.evaluator for held in (judge.bedrock, llmaj) if held is not None}


def with_metrics_by_name(document: Any) -> Any:  # noqa: ANN401 - YAML as it was read
    """The recipe's document with custom metrics that it names filled in from `recipes/metrics/`."""
    judge = document.get("judge") if isinstance(document, dict) else None
    judge = judge if isinstance(judge, dict) else {}
    serverless = judge.get("serverless")
    holders = (
        judge.get("bedrock"),
        serverless.get("llmaj") if isinstance(serverless, dict) else None,
    )
    for holder in holders:
        if isinstance(holder, dict) and isinstance(holder.get("custom_metrics"), list):
            holder["custom_metrics"] = [
                packaged_metric(metric) if isinstance(metric, str) else metric
                for metric in holder["custom_metrics"]
            ]
    return document


def scoring_problems(kind: str, judge: "Judge") -> Iterator[str]:
    """What a well-formed recipe of any kind says that its kind cannot use."""
    for key, needed_by in (("bedrock", "bedrock_judge"), ("serverless", "serverless")):
        held = getattr(judge, key) is not None
        if held and kind != needed_by:
            yield f"judge.{key}: kind {kind} does not use it; kind {needed_by} does"
        if not held and kind == needed_by:
            yield f"judge.{key}: missing; kind {kind} needs it"
    if judge.scorer is not None and kind not in ("gen_qa", "rft_eval", "serverless"):
        yield f"judge.scorer: kind {kind} uses none; gen_qa, rft_eval and serverless do"
    if judge.bedrock is not None:
        yield from (f"judge.bedrock.{problem}" for problem in bedrock_problems(judge.bedrock))
    if judge.serverless is not None:
        for problem in serverless_problems(judge.serverless, judge.scorer):
            yield f"judge.{problem}"
    if kind in NOVA_SCORING_KINDS and judge.nova is not None:
        yield from _nova_problems(kind, judge, judge.nova)
    yield from _base_model_problems(kind, judge)


def _nova_problems(kind: str, judge: "Judge", nova: NovaBlock) -> Iterator[str]:
    task = nova.evaluation.task
    if kind == "benchmark" and task not in benchmarks():
        yield f"judge.nova.evaluation.task: found {task!r}; kind benchmark needs a benchmark"
    if kind not in ("benchmark", task):
        yield f"judge.nova.evaluation.task: found {task!r}; kind {kind} needs {kind}"
    if kind == "rft_eval" and judge.scorer is None and nova.rl_env is UNSET:
        yield "judge.scorer: missing; kind rft_eval needs a reward function"
    if judge.scorer is not None and kind != "benchmark":
        yield from _scorer_problems(kind, judge.scorer, nova)
    processor = nova.processor
    aggregation = processor.aggregation if processor is not UNSET else UNSET
    if aggregation is not UNSET and aggregation not in AGGREGATIONS:
        yield (
            f"judge.nova.processor.aggregation: found {aggregation!r}; "
            f"allowed: {', '.join(AGGREGATIONS)}"
        )


def _scorer_problems(kind: str, scorer: str, nova: NovaBlock) -> Iterator[str]:
    if nova.processor is not UNSET or nova.rl_env is not UNSET:
        yield "judge.scorer: judge.nova names a function too; keep one of the two"
    if scorer in PRESET_SCORERS:
        if kind == "rft_eval":
            yield f"judge.scorer: {scorer} belongs to gen_qa; rft_eval takes a function of your own"
    elif not _LAMBDA.fullmatch(scorer) and not _SCORER_FILE.fullmatch(scorer):
        yield (
            f"judge.scorer: found {scorer!r}; allowed: {', '.join(PRESET_SCORERS)}, the name of a "
            "file in scorers/ without .py, or the ARN of a Lambda function"
        )


def _base_model_problems(kind: str, judge: "Judge") -> Iterator[str]:
    if not judge.evaluate_base_model:
        return
    customised = (
        judge.serverless.model_package is not None
        if judge.serverless is not None
        else judge.nova is not None and judge.nova.run.model_name_or_path.startswith("s3://")
    )
    if kind not in SCORING_KINDS - {"bedrock_judge"}:
        yield f"judge.evaluate_base_model: kind {kind} evaluates no model of its own"
    elif not customised:
        yield (
            "judge.evaluate_base_model: the model is a base model already; name a customised one "
            "(s3://… or a model package)"
        )


def with_scorer(
    nova: NovaBlock, kind: str, scorer: str | None, arn_of: Callable[[str], str]
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
    if kind == "rft_eval":
        return msgspec.structs.replace(nova, rl_env=NovaRlEnv(reward_lambda_arn=arn))
    processor = _processor(preset_reward_function="", lambda_arn=arn, lambda_type="custom_metrics")
    return msgspec.structs.replace(nova, processor=processor)


def _processor(**keys: str) -> NovaProcessor:
    return NovaProcessor(
        **keys,
        preprocessing=Switch(enabled=False),
        postprocessing=Switch(enabled=True),
        aggregation="average",
    )
