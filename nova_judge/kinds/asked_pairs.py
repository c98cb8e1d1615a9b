"""A judge that is asked by calls: any model, in words and by a rubric of one's own.

Its replies are written as Nova's container would have written them, so that everything after them
is that of `Pairs`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.errors import RecipeError
from nova_judge.kinds.job import Api, Deployment, FinishedJob, JobRequest, PlannedJob, job_place
from nova_judge.kinds.kind import DataLine, JudgedBy
from nova_judge.kinds.pairs import Pairs, compared_in, stop_problem
from nova_judge.layout import RunLayout
from nova_judge.pairs.controls import CONTROL_ROWS
from nova_judge.pairs.judge_asking import asked_pair, judge_generation
from nova_judge.pairs.judged_rows import PairsFound
from nova_judge.pairs.panel_files import read_votes, write_panel
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
_EXAMPLE = InputRow(
    line=1,
    id="1",
    prompt="THE QUESTION",
    response_A="THE ANSWER OF A",
    response_B="THE ANSWER OF B",
    context="THE CONTEXT",
    reference="THE REFERENCE",
)


@dataclass(frozen=True)
class AskedPairs(Pairs):
    """Pairs that a model judges which is asked; `needs` and `uses` as of `Kind`."""

    api: Api = "calls"
    data: str = ASKED_FILE
    needs: frozenset[str] = frozenset({"judge.model"})
    uses: frozenset[str] = frozenset(
        {
            "controls",
            "stop",
            "statistics.judge_rates",
            "judge.prompt",
            "judge.rubric",
            "judge.calls",
        }
    )

    def problems(self, recipe: Recipe) -> Iterator[str]:
        judge = recipe.judge
        yield from stop_problem(recipe)
        yield from prompt_problems(judge.words, judge.rubric)
        yield from _panel_problems(recipe)
        for where, model in judge.asked.items():
            problems = list(model_problems(where, model, judge_generation(judge)))
            yield from problems
            if not problems and source_of(model).hosting(model) is not None:
                yield (
                    f"{where}.endpoint: the stage's endpoints are released before the judge "
                    "begins; name a model of bedrock or openai"
                )

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        models = list(recipe.judge.asked.values())
        of_bedrock = frozenset(model.bedrock for model in models if model.bedrock)
        return JudgedBy(
            " + ".join(source_of(model).title(model) for model in models),
            "judge",
            bedrock=of_bedrock,
            asked="on bedrock" if of_bedrock else "on a server",
        )

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        judge, supposed = recipe.judge, catalog.assumptions().asked_judge_tokens
        controls = min(CONTROL_ROWS, workload.rows) * len(recipe.controls)
        calls = _ORDERS * (workload.rows * len(recipe.compared) + controls)
        tokens = (
            TokenUse(
                source_of(model).title(model),
                calls * supposed.value["input"],
                calls * supposed.value["verdict" if judge.rubric is None else "rubric"],
                batch=judges_in_batch(recipe, model, workload.rows * len(recipe.compared)),
                price=model.price,
                source=model.source,
            )
            for model in judge.asked.values()
            if source_of(model).payment(model) == "tokens"
        )
        rate = catalog.assumptions().bedrock_rows_per_second
        return JudgeUsage(
            bedrock=tuple(tokens),
            rests_on=(supposed.why, f"a judge takes {rate.value:g} calls a second: {rate.why}"),
            calls_s=calls * len(judge.asked) / rate.value,
        )

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        """Those of a judge's rows and controls; each judge of a panel is asked the same file."""
        jobs = super().jobs(run, rows)
        panel = run.recipe.judge.panel
        if not panel:
            return jobs
        (job,) = jobs
        return tuple(
            msgspec.structs.replace(job, number=number, label=name)
            for number, name in enumerate(panel)
        )

    def data_line(self, run: Run, row: InputRow, job: PlannedJob) -> DataLine:
        """The prompts of both orders, exactly as the judge is asked."""
        row = compared_in(job, row)
        return DataLine(msgspec.json.encode(asked_pair(row, run.recipe.judge)) + b"\n", row)

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        """What the model is asked of a row, and what the functions read that ask it."""
        judge, model = run.recipe.judge, asked_model(run.recipe, job.number)
        example = asked_pair(_EXAMPLE, judge)
        asked = {
            "model": source_of(model).title(model),
            "settings": msgspec.to_builtins(judge_generation(judge)),
            "prompt": example.forward or example.missing,
        }
        place = job_place(run, job, deployment)
        shards = RunLayout(run.run_id).judge_shards(job.number)
        state_body = {"name": place.name, "shards": shards}
        return JobRequest("Calls of the judge's model", asked, state_body=state_body)

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> PairsFound:
        """The judge's files; of a panel, those of its combined verdicts."""
        pairs = super().results(run, jobs)
        if not run.recipe.judge.panel:
            return pairs
        names = (job.planned.label for job in jobs)
        votes = read_votes(list(zip(names, pairs.jobs, strict=True)))
        first = pairs.jobs[0]
        return PairsFound((write_panel(votes, first.rows, first.details.parent),), panel=votes)


def asked_model(recipe: Recipe, number: int) -> AskedModel:
    """The model that a job asks; raises RecipeError for another kind."""
    judge = recipe.judge
    if judge.panel:
        return list(judge.panel.values())[number]
    if judge.model is None:
        raise RecipeError(f"{recipe.name}: kind {recipe.kind} has no judge.model")
    return judge.model


def judges_in_batch(recipe: Recipe, model: AskedModel, rows: float) -> bool:
    """True where a judge of so many rows answers by batch inference."""
    generation = judge_generation(recipe.judge)
    return source_of(model).takes_batches(model) and answers_in_batch(generation, rows)


def asked_file(run: Run, number: int) -> str:
    """The key of the prompts that a job asks; a panel's judges are asked the same ones."""
    return RunLayout(run.run_id).judge_data(0 if run.recipe.judge.panel else number, ASKED_FILE)


def _panel_problems(recipe: Recipe) -> Iterator[str]:
    judge = recipe.judge
    if judge.panel is None:
        return
    if judge.model is not None:
        yield "judge.panel: judge.model stands beside it; keep one of the two"
    if len(judge.panel) < 2:
        yield (
            f"judge.panel: found {len(judge.panel)} judges; a panel has two or more, best an odd "
            "number of them"
        )
    if recipe.many:
        yield "judge.panel: it judges two candidates; ask one judge where there are more"
    unused = {
        "stop": recipe.stop,
        "controls": recipe.controls,
        "judge.max_rows_per_job": judge.max_rows_per_job,
    }
    for key, value in unused.items():
        if value:
            yield f"{key}: a panel judges all rows in one job per judge; leave it out"
