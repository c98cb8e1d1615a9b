"""Amazon Bedrock's judge: scores of single answers, each candidate's in jobs of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.kinds.kind import JudgedBy
from nova_judge.recipe import catalog
from nova_judge.recipe.bedrock_judge import bedrock_problems
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.usage import JudgeUsage, TokenUse, Workload


@dataclass(frozen=True)
class BedrockScores:
    """Bedrock's judge in evaluation jobs; `needs` and `uses` as of `Kind`."""

    needs: frozenset[str] = frozenset({"judge.bedrock"})
    uses: frozenset[str] = frozenset()
    generates: bool = True
    compares: bool = False

    def problems(self, recipe: Recipe) -> Iterator[str]:
        yield from (f"judge.bedrock.{problem}" for problem in bedrock_problems(recipe.bedrock))

    def needs_file(self, recipe: Recipe) -> bool:
        return True

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        evaluator = recipe.bedrock.evaluator
        return JudgedBy(evaluator, "judge", bedrock=frozenset({evaluator}))

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        judge, supposed = recipe.bedrock, catalog.assumptions().evaluator_tokens_per_score
        scores = workload.rows * len(judge.judged) * len(judge.metric_names)
        read, written = (scores * supposed.value[way] for way in ("input", "output"))
        return JudgeUsage(
            bedrock=(TokenUse(judge.evaluator, read, written),), rests_on=(supposed.why,)
        )
