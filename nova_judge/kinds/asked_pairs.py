"""A judge that is asked by calls: any model, in words and by a rubric of one's own.

Its replies are written as Nova's container would have written them, so that everything after them
is that of `Pairs`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from nova_judge.answers.batch_inference import answers_in_batch
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
from nova_judge.runs.usage import UNKNOWN, InstanceTime, JudgeUsage, Workload, tokens_of
from nova_judge.sources.known_sources import endpoint_instances, model_problems, source_of

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


class _Asking(NamedTuple):
    """The time in which a judge gives its replies, on an endpoint of the run or not, and why."""

    seconds: float
    why: str
    endpoint: InstanceTime | None = None


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
            yield from model_problems(where, model, judge_generation(judge))

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        models = list(recipe.judge.asked.values())
        of_bedrock = frozenset(model.bedrock for model in models if model.bedrock)
        return JudgedBy(
            " + ".join(source_of(model).title(model) for model in models),
            "judge",
            bedrock=of_bedrock,
            asked="on aws" if any(source_of(m).on_aws for m in models) else "on a server",
        )

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        judge, supposed = recipe.judge, catalog.assumptions().asked_judge_tokens
        written = supposed.value["verdict" if judge.rubric is None else "rubric"]
        controls = min(CONTROL_ROWS, workload.rows) * len(recipe.controls)
        calls = _ORDERS * (workload.rows * len(recipe.compared) + controls)
        tokens = (
            tokens_of(
                model,
                calls * supposed.value["input"],
                calls * written,
                batch=judges_in_batch(recipe, model, workload.rows * len(recipe.compared)),
            )
            for model in judge.asked.values()
        )
        asking = [_asking(model, calls, written) for model in judge.asked.values()]
        return JudgeUsage(
            bedrock=tuple(used for used in tokens if used is not None),
            endpoints=tuple(one.endpoint for one in asking if one.endpoint is not None),
            rests_on=tuple(dict.fromkeys((supposed.why, *(one.why for one in asking)))),
            calls_s=sum(one.seconds for one in asking),
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
        instances = endpoint_instances([model])
        state_body = {
            "name": place.name,
            "shards": RunLayout(run.run_id).judge_shards(job.number),
            "endpoints": list(instances),
            "instances": instances,
        }
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


def _asking(model: AskedModel, calls: float, written: float) -> _Asking:
    """The time of so many calls, of which each writes so many tokens."""
    supposed = catalog.assumptions()
    hosting = source_of(model).hosting(model)
    if hosting is None:
        rate = supposed.bedrock_rows_per_second
        why = f"a judge takes {rate.value:g} calls a second: {rate.why}"
        return _Asking(calls / rate.value, why)
    seconds = supposed.endpoint_start_minutes.value * 60
    seconds += calls * written / hosting.tokens_per_second
    why = f"{model.model} writes {hosting.tokens_per_second:g} tokens/s: {hosting.why}"
    kind = next(iter(hosting.instance_types), UNKNOWN)
    endpoint = InstanceTime(kind, seconds, 1, hosting.endpoint)
    return _Asking(seconds, why, endpoint)


def judge_place(recipe: Recipe, number: int) -> str:
    """The place in the recipe of the model that a job asks."""
    return list(recipe.judge.asked)[number if recipe.judge.panel else 0]


def asked_model(recipe: Recipe, number: int) -> AskedModel:
    """The model that a job asks."""
    return recipe.judge.asked[judge_place(recipe, number)]


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
