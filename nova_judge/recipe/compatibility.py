"""The judges, models, instances, images and tasks that go together; others are refused unpaid.

The combinations are data (`data/compatibility.json`, with the date they were read); the benchmarks'
own are in `nova_judge.recipe.benchmarks`.
"""

from collections.abc import Iterator

from msgspec import UNSET

from nova_judge.recipe import catalog
from nova_judge.recipe.benchmarks import benchmark_problems, benchmarks
from nova_judge.recipe.catalog import NovaModel
from nova_judge.recipe.nova_block import NovaBlock
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import not_one_of

__all__ = ["judge_models"]


def container_problems(recipe: Recipe) -> Iterator[str]:
    """Everything in `judge.nova` and the instances that the container or SageMaker would refuse."""
    nova, judge = recipe.nova, recipe.judge
    yield from _task_problems(nova)
    models = catalog.compatibility().models
    model = models.get(nova.run.model_type)
    if model is None:
        yield not_one_of("judge.nova.run.model_type", nova.run.model_type, models)
        return
    yield from _model_problems(nova, model)
    yield from _instance_problems(nova, model, judge.instance_types)
    if nova.run.replicas != judge.instance_count:
        yield (
            f"judge.instance_count: found {judge.instance_count}, but judge.nova.run.replicas is "
            f"{nova.run.replicas}: the two must be equal"
        )
    image = judge.image
    if image is not None and "/" not in image and image not in model.image_tags:
        yield not_one_of(
            "judge.image", image, model.image_tags, "for another one give its full image URI"
        )


def judge_models(task: str) -> tuple[str, ...]:
    """The `model_type`s that may judge under `task`; none for other tasks.

    >>> "amazon.nova-micro-v1:0:128k" in judge_models("llm_judge")
    True
    """
    models = catalog.compatibility().models
    return tuple(name for name, model in models.items() if task in model.judges)


def _task_problems(nova: NovaBlock) -> Iterator[str]:
    evaluation = nova.evaluation
    if evaluation.task in benchmarks():
        for key, problem in benchmark_problems(
            task=evaluation.task,
            strategy=evaluation.strategy,
            metric=evaluation.metric,
            subtask=evaluation.subtask if isinstance(evaluation.subtask, str) else "",
            model_type=nova.run.model_type,
        ):
            yield f"judge.nova.{key}: {problem}"
        return
    tasks = catalog.compatibility().tasks
    task = tasks.get(evaluation.task)
    if task is None:
        yield not_one_of("judge.nova.evaluation.task", evaluation.task, [*tasks, *benchmarks()])
        return
    if evaluation.strategy != task.strategy:
        yield not_one_of("judge.nova.evaluation.strategy", evaluation.strategy, [task.strategy])
    if evaluation.metric != task.metric:
        yield not_one_of("judge.nova.evaluation.metric", evaluation.metric, [task.metric])
    if evaluation.subtask:
        yield (
            f"judge.nova.evaluation.subtask: {evaluation.task} has no sub-tasks; leave the key out"
        )


def _model_problems(nova: NovaBlock, model: NovaModel) -> Iterator[str]:
    run, task = nova.run, nova.evaluation.task
    for key in ("data_s3_path", "output_s3_path"):
        if path := getattr(run, key):
            yield (
                f"judge.nova.run.{key}: found {path!r}; leave it empty: a run hands its job the "
                "rows and the place of its output"
            )
    judges = judge_models(task)
    if judges and run.model_type not in judges:
        yield not_one_of("judge.nova.run.model_type", run.model_type, judges, f"for {task}")
    customised = run.model_name_or_path.startswith("s3://")
    if judges and customised:
        yield (
            f"judge.nova.run.model_name_or_path: found {run.model_name_or_path!r}; AWS offers no "
            f"customised judge: use {model.model_name_or_path}"
        )
    elif not customised and run.model_name_or_path != model.model_name_or_path:
        also = "" if judges else "or the s3:// URI of a customised model"
        yield not_one_of(
            "judge.nova.run.model_name_or_path",
            run.model_name_or_path,
            [model.model_name_or_path],
            also,
        )
    effort = nova.inference.reasoning_effort
    if effort is not UNSET and effort is not None and not model.reasoning_effort:
        yield (
            f"judge.nova.inference.reasoning_effort: found {effort!r}; {run.model_type} does not "
            "reason: leave the key out"
        )


def _instance_problems(
    nova: NovaBlock, model: NovaModel, instance_types: tuple[str, ...]
) -> Iterator[str]:
    allowed = model.instance_types
    if not instance_types:
        yield f"judge.instance_type: missing; {nova.run.model_type} runs on {' or '.join(allowed)}"
    for kind in instance_types:
        if kind not in allowed:
            note = f" ({model.note})" if model.note else ""
            yield (
                f"judge.instance_type: found {kind!r}; {nova.evaluation.task} with "
                f"{nova.run.model_type} runs only on {' or '.join(allowed)}{note}. "
                f"Write instance_type: {allowed[0]}"
            )
