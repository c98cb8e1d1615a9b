"""The benchmark catalogue and what it refuses."""

import json
from pathlib import Path

import pytest

from nova_judge.recipe.benchmarks import benchmark_problems, benchmarks, split_subtasks

DOCUMENTED = Path(__file__).parents[2] / "data" / "benchmark_subtasks.json"


def problems(**changes: str) -> list[tuple[str, str]]:
    evaluation = {"task": "mmlu", "strategy": "zs_cot", "metric": "accuracy"} | changes
    return list(benchmark_problems(**evaluation))


@pytest.mark.parametrize("task", sorted(benchmarks()))
def test_every_benchmark_accepts_its_own_strategy_metric_and_all_its_subtasks(task: str) -> None:
    benchmark = benchmarks()[task]
    assert (
        problems(
            task=task,
            strategy=benchmark.strategy,
            metric=benchmark.metric,
            subtask=",".join(benchmark.subtasks),
        )
        == []
    )


def test_the_number_of_subtasks_is_the_documented_one() -> None:
    counts = {name: len(task.subtasks) for name, task in benchmarks().items() if task.subtasks}
    assert counts == {"mmlu": 57, "bbh": 27, "math": 7, "strong_reject": 32, "mmmu": 30}


def test_subtasks_are_those_of_the_documentation() -> None:
    for task, subtasks in json.loads(DOCUMENTED.read_text("utf-8")).items():
        assert list(benchmarks()[task].subtasks) == subtasks


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "mmlu_por"}, "Did you mean 'mmlu_pro'?"),
        ({"strategy": "fs_cot"}, "mmlu allows only 'zs_cot'"),
        ({"metric": "exact_match"}, "mmlu allows only 'accuracy'"),
        ({"subtask": "anatomy,astrology"}, "Did you mean 'astronomy'?"),
        ({"subtask": "anatomy,anatomy"}, "'anatomy' stands 2 times"),
        ({"task": "gpqa", "subtask": "physics"}, "gpqa has no sub-tasks; leave the key out"),
        (
            {"task": "mmmu", "model_type": "amazon.nova-micro-v1:0:128k"},
            "reads text only, and mmmu asks about images",
        ),
    ],
)
def test_each_mistake_is_named_with_what_is_allowed(changes: dict[str, str], said: str) -> None:
    ((key, words),) = problems(**changes)
    assert said in words
    assert key in {"run.model_type", *(f"evaluation.{name}" for name in changes)}


def test_several_mistakes_are_all_named() -> None:
    assert len(problems(strategy="zs", metric="f1", subtask="x")) == 3


def test_subtasks_may_be_spaced() -> None:
    assert split_subtasks(" anatomy , virology,") == ("anatomy", "virology")
