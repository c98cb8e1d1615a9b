"""Nova's pair judges: two answers to one prompt, compared in both orders."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.kinds.kind import JudgedBy
from nova_judge.kinds.nova_container import (
    container_functions,
    container_problems,
    container_usage,
    task_problem,
)
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.usage import JudgeUsage, Workload


@dataclass(frozen=True)
class Pairs:
    """The LLM judge and the rubric judge; `needs` and `uses` as of `Kind`."""

    task: str
    needs: frozenset[str] = frozenset({"judge.nova"})
    uses: frozenset[str] = frozenset({"controls", "stop"})
    generates: bool = True
    compares: bool = True

    def problems(self, recipe: Recipe) -> Iterator[str]:
        if recipe.stop and recipe.judge.max_rows_per_job is None:
            yield (
                "stop: when_decided looks after each judge job, and without judge.max_rows_per_job "
                "there is only one. Write how many rows a job judges, such as max_rows_per_job: 500"
            )
        yield from task_problem(recipe)
        yield from container_problems(recipe)

    def needs_file(self, recipe: Recipe) -> bool:
        return True

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        model = recipe.nova.run.model_name_or_path
        return JudgedBy(model, "judge", container=True, functions=container_functions(recipe))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        most = recipe.judge.max_rows_per_job
        jobs = 1 if most is None else max(1, math.ceil(workload.rows / most))
        return container_usage(recipe, jobs=jobs, rows=workload.rows)
