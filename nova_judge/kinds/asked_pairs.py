"""A judge that is asked by calls: any model, in words and by a rubric of one's own.

Its replies are written as Nova's container would have written them, so that everything after them
is that of `Pairs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.errors import RecipeError
from nova_judge.kinds.job import Api, Deployment, JobRequest, PlannedJob, job_place
from nova_judge.kinds.kind import DataLine, JudgedBy
from nova_judge.kinds.pairs import Pairs, compared_in, stop_problem
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import CONTROL_ROWS
from nova_judge.pairs.judge_asking import asked_pair, judge_generation
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_judge import prompt_problems
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow
from nova_judge.runs.run import Run
from nova_judge.runs.usage import JudgeUsage, TokenUse, Workload
from nova_judge.sources.known import model_problems, source_of

ASKED_FILE = "asked.jsonl"
_ORDERS = 2


@dataclass(frozen=True)
class AskedPairs(Pairs):
    """Pairs that a model judges which is asked; `needs` and `uses` as of `Kind`."""

    api: Api = "calls"
    data: str = ASKED_FILE
    needs: frozenset[str] = frozenset({"judge.model"})
    uses: frozenset[str] = frozenset(
        {"controls", "stop", "judge.prompt", "judge.rubric", "judge.calls"}
    )

    def problems(self, recipe: Recipe) -> Iterator[str]:
        judge, model = recipe.judge, asked_model(recipe)
        yield from stop_problem(recipe)
        yield from prompt_problems(judge.words, judge.rubric)
        problems = list(model_problems("judge.model", model, judge_generation(judge)))
        yield from problems
        if not problems and source_of(model).hosting(model) is not None:
            yield (
                "judge.model.endpoint: the stage's endpoints are released before the judge begins; "
                "name a model of bedrock or openai"
            )

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        model = asked_model(recipe)
        asked_of_bedrock = frozenset({model.bedrock} if model.bedrock else ())
        return JudgedBy(
            source_of(model).title(model),
            "judge",
            bedrock=asked_of_bedrock,
            asked="on bedrock" if model.bedrock else "on a server",
        )

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        model, judge = asked_model(recipe), recipe.judge
        supposed = catalog.assumptions().asked_judge_tokens
        if source_of(model).payment(model) != "tokens":
            return JudgeUsage(rests_on=(supposed.why,))
        controls = min(CONTROL_ROWS, workload.rows) * len(recipe.controls)
        calls = _ORDERS * (workload.rows * len(recipe.compared) + controls)
        batch = answers_in_batch(judge_generation(judge), workload.rows)
        tokens = TokenUse(
            source_of(model).title(model),
            calls * supposed.value["input"],
            calls * supposed.value["verdict" if judge.rubric is None else "rubric"],
            batch and source_of(model).batches,
            model.price,
            model.source,
        )
        return JudgeUsage(bedrock=(tokens,), rests_on=(supposed.why,))

    def data_line(self, run: Run, row: InputRow, job: PlannedJob) -> DataLine:
        """The prompts of both orders, exactly as the judge is asked."""
        row = compared_in(job, row)
        return DataLine(msgspec.json.encode(asked_pair(row, run.recipe.judge)) + b"\n", row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        """What the functions read that ask the judge: nothing is created at AWS."""
        place = job_place(run, job, deployment)
        shards = RunLayout(run.run_id).judge_shards(job.number)
        return JobRequest("the judge's model, by calls", {"name": place.name, "shards": shards})


def asked_model(recipe: Recipe) -> AskedModel:
    """The judge's model; raises RecipeError for another kind."""
    if recipe.judge.model is None:
        raise RecipeError(f"{recipe.name}: kind {recipe.kind} has no judge.model")
    return recipe.judge.model
