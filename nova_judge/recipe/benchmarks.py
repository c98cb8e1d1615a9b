"""The standard benchmarks that AWS's evaluation containers run: what may stand in a recipe.

The tasks are data (`data/benchmarks.json`, with the date they were read).
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from nova_judge.folders import DATA
from nova_judge.recipe.shape import did_you_mean

__all__ = ["benchmark_problems", "split_subtasks"]

TEXT_ONLY_MODELS = ("amazon.nova-micro-",)


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark. It has exactly one strategy and one metric; no sub-tasks: it cannot be cut.

    `serverless`: SageMaker's serverless evaluation of model packages offers it too.
    """

    strategy: str
    metric: str
    measures: str
    modality: Literal["text", "image"]
    serverless: bool
    subtasks: tuple[str, ...]


class _Catalogue(msgspec.Struct, frozen=True):
    read: str
    source: tuple[str, ...]
    tasks: dict[str, Benchmark]


@functools.cache
def benchmarks() -> Mapping[str, Benchmark]:
    """All benchmarks by task name, in the order of AWS's documentation."""
    return msgspec.json.decode((DATA / "benchmarks.json").read_bytes(), type=_Catalogue).tasks


def split_subtasks(subtask: str) -> tuple[str, ...]:
    """The sub-tasks named in a recipe's `subtask`, which joins several with a comma.

    >>> split_subtasks("abstract_algebra,anatomy")
    ('abstract_algebra', 'anatomy')
    """
    return tuple(name.strip() for name in subtask.split(",") if name.strip())


def benchmark_problems(
    *, task: str, strategy: str, metric: str, subtask: str = "", model_type: str = ""
) -> Iterator[tuple[str, str]]:
    """The faults of a benchmark recipe: the key in Nova's recipe, and what is allowed there.

    `subtask` is as the container reads it: names joined with a comma, empty for all.

    >>> list(benchmark_problems(task="mmlu", strategy="zs_cot", metric="accuracy"))
    []
    """
    offered = benchmarks()
    if task not in offered:
        near = did_you_mean(task, offered)
        yield "evaluation.task", f"found {task!r}; the benchmarks are {', '.join(offered)}{near}"
        return
    benchmark = offered[task]
    for key, value, allowed in (
        ("strategy", strategy, benchmark.strategy),
        ("metric", metric, benchmark.metric),
    ):
        if value != allowed:
            yield f"evaluation.{key}", f"found {value!r}; {task} allows only {allowed!r}"
    for problem in _subtask_problems(task, benchmark, split_subtasks(subtask)):
        yield "evaluation.subtask", problem
    if benchmark.modality == "image" and model_type.startswith(TEXT_ONLY_MODELS):
        yield "run.model_type", f"{model_type} reads text only, and {task} asks about images"


def _subtask_problems(task: str, benchmark: Benchmark, named: tuple[str, ...]) -> Iterator[str]:
    allowed = benchmark.subtasks
    if named and not allowed:
        yield f"{task} has no sub-tasks; leave the key out"
        return
    for name in named:
        if name not in allowed:
            yield (
                f"{task} has no sub-task {name!r}; it has {', '.join(allowed)}"
                f"{did_you_mean(name, allowed)}"
            )
    for name in dict.fromkeys(named):
        if named.count(name) > 1:
            yield f"{name!r} stands {named.count(name)} times"
