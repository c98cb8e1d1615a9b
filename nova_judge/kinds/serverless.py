"""SageMaker's serverless evaluation of model packages."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.kinds.kind import JudgedBy, base_model_problem
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.serverless import serverless_problems
from nova_judge.runs.usage import JudgeUsage, Workload


@dataclass(frozen=True)
class ServerlessScores:
    """Benchmarks, scorers and Bedrock's judge without instances of ours."""

    needs: frozenset[str] = frozenset({"judge.serverless"})
    uses: frozenset[str] = frozenset({"judge.scorer", "judge.evaluate_base_model"})
    generates: bool = False
    compares: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        serverless = recipe.serverless
        for problem in serverless_problems(serverless, recipe.judge.scorer):
            yield f"judge.{problem}"
        yield from base_model_problem(recipe, serverless.model_package)

    def needs_file(self, recipe: Recipe) -> bool:
        return recipe.serverless.needs_file

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        judge = recipe.serverless.llmaj
        if judge is None:
            return JudgedBy(recipe.serverless.model_name, "model")
        return JudgedBy(judge.evaluator, "judge", bedrock=frozenset({judge.evaluator}))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        return JudgeUsage(unpriced=("serverless evaluation",))
