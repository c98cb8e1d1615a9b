"""The forecast of a run's cost and time, before anything is paid for, and whether it can end.

Quantities come from the head of the input and from `data/assumptions.json`, prices from
`data/prices.json`; both are dated, and an estimate names the assumptions it rests on. No function
may need more than half of its time or memory: these bounds are data (`data/reach.json`), measured
by `benchmarks/large_run.py`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nova_judge.check import Check
from nova_judge.errors import BudgetError, RecipeError
from nova_judge.inputs.reading import AnswerSources, asked_by
from nova_judge.json_lines import whole_lines
from nova_judge.kinds.known_kinds import judged_in_parts, kind_of, writes_rubrics
from nova_judge.preflight.expected_usage import (
    Throughput,
    expected_usage,
    generation_seconds,
    judge_usage,
)
from nova_judge.preflight.input_head import InputHead
from nova_judge.preflight.pricing import bill
from nova_judge.recipe import catalog
from nova_judge.recipe.catalog import Bound
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import FailedRow, InputRow, Rejected
from nova_judge.runs.usage import Estimate, JudgeUsage, Workload
from nova_judge.sources.known_sources import asked_warnings, source_of
from nova_judge.text import count_of


def read_workload(recipe: Recipe, head: bytes, size: int, sources: AnswerSources) -> Workload:
    """The workload of a file of `size` bytes that begins with `head`.

    Usable whole lines are counted and projected over all of the head: what it cut may be one huge
    line.
    """
    seen = whole_lines(head, size)
    lines = list(kind_of(recipe.kind).rows(recipe, [seen], len(seen), sources))
    rows = sum(not isinstance(line, Rejected | FailedRow) for line in lines)
    prompts = [len(line.shown) for line in lines if isinstance(line, InputRow)]
    whole = len(head) >= size
    return Workload(
        rows=rows if whole else round(rows * size / len(head)),
        prompt_characters=sum(prompts) / len(prompts) if prompts else 0.0,
        size=size,
        generated=asked_by(recipe, sources),
        exact=whole,
    )


def estimate_run(
    recipe: Recipe,
    workload: Workload,
    measured: Throughput | None = None,
    own_models: Sequence[str] = (),
) -> Estimate:
    """The forecast for one run of `recipe` over `workload`.

    `measured` is the speed that the judge had in runs of the same stage, `own_models` are the names
    in the catalogue beside the recipe.
    """
    share = catalog.assumptions().answer_share.value
    judging = judge_usage(recipe, workload, measured)
    likely = expected_usage(recipe, workload, judging, answer_share=share)
    worst = expected_usage(recipe, workload, judging, answer_share=1.0, to_the_limit=True)
    seconds = generation_seconds(recipe, workload, share) + judging.seconds
    return Estimate(
        workload=workload,
        likely=bill(likely),
        worst=bill(worst),
        hours=seconds / 3600,
        assumptions=_assumptions(recipe, workload, judging, own_models),
        warnings=tuple(_warnings(recipe, workload, judging)),
    )


def check_budget(recipe: Recipe, estimate: Estimate) -> None:
    """Refuse a run whose estimate is above `budget.max_usd`.

    Raises BudgetError, or RecipeError where the recipe has to give a price first.
    """
    budget = recipe.budget.max_usd
    if budget is None:
        return
    if estimate.likely.unpriced:
        raise RecipeError(
            f"{recipe.name}: budget.max_usd is {budget:g}, but no price is known for "
            f"{', '.join(estimate.likely.unpriced)}. Give it in the recipe, in US dollars per "
            "million tokens: `price: {input: …, output: …}` beside the model, or beside "
            "`evaluator:` of judge.bedrock; or leave budget.max_usd out"
        )
    if estimate.likely.usd > budget:
        dearest = max(estimate.likely.lines, key=lambda line: line.usd or 0)
        raise BudgetError(
            f"{recipe.name}: the estimate is ${estimate.likely.usd:,.2f} for "
            f"{count_of(estimate.workload.rows, 'row')}, above budget.max_usd ${budget:,.2f}; "
            f"most of it is {dearest.what} (${dearest.usd or 0:,.2f}). Raise budget.max_usd, send "
            "fewer rows (`nova-judge plan` says how many a question needs), or choose a cheaper "
            "instance"
        )


def _warnings(recipe: Recipe, workload: Workload, judging: JudgeUsage) -> Iterator[str]:
    yield from asked_warnings(recipe, workload.generated)
    limit_s = recipe.judge.max_runtime_s
    longest_s = max((job.seconds for job in judging.jobs), default=0.0)
    if longest_s > limit_s:
        yield (
            f"a judge job probably needs {longest_s:,.0f} s and is stopped at judge.max_runtime_s "
            f"({limit_s:,} s): it is paid for, and its rows are not judged. Raise it in the "
            "recipe, or give each job fewer rows with judge.max_rows_per_job"
        )


def _assumptions(
    recipe: Recipe, workload: Workload, judging: JudgeUsage, own_models: Sequence[str]
) -> tuple[str, ...]:
    supposed, prices = catalog.assumptions(), catalog.prices()
    known = (*catalog.models().endpoints, *own_models)
    assumptions = [
        f"list prices of {prices.region}, read on {prices.read_on} from public secondary sources"
    ]
    assumptions += judging.rests_on
    if workload.generated:
        token = supposed.characters_per_token
        assumptions.append(supposed.answer_share.why)
        assumptions.append(f"{token.value:g} characters a token: {token.why}")
    asked = (recipe.candidate(side) for side in workload.generated)
    for spec in (*asked, *recipe.judge.asked.values()):
        if spec.endpoint is not None and source_of(spec).payment(spec) == "others":
            assumptions.append(
                f"{spec.model} is taken to be an endpoint of the account, which costs the run "
                f"nothing: no catalogue has this name{did_you_mean(spec.model, known)}"
            )
    for side in workload.generated:
        spec = recipe.candidate(side)
        if hosting := source_of(spec).hosting(spec):
            rate = hosting.tokens_per_second
            assumptions.append(f"{spec.model} writes {rate:g} tokens/s: {hosting.why}")
    if not workload.exact:
        assumptions.append("the number of rows is projected from the first part of the file")
    return tuple(dict.fromkeys(assumptions))


class _Size(NamedTuple):
    rows: float
    text_bytes: float

    def times(self, bound: Bound) -> float:
        """How often the bound holds this; above 1 it is too much."""
        return max(self.rows / bound.rows, self.text_bytes / bound.text_bytes)


def reach_check(recipe: Recipe, head: InputHead) -> Check:
    """The check that a file is not more than one run can report on, before anything is paid."""
    workload = read_workload(recipe, *head[:3])
    supposed, reach = catalog.assumptions(), catalog.reach()
    tokens = recipe.generation.max_tokens * supposed.answer_share.value * len(workload.generated)
    answers = workload.rows * tokens * supposed.characters_per_token.value
    run = _Size(workload.rows, head.size + answers)
    in_parts = judged_in_parts(recipe) and not recipe.stop and not writes_rubrics(recipe)
    bound = reach.in_parts if in_parts else reach.whole
    summary = f"about {count_of(workload.rows, 'row')} with {run.text_bytes / 1e9:,.1f} GB of text"
    if run.times(bound) > 1.0:
        return Check(
            "size of the run",
            "fail",
            f"{summary}: such a run holds {count_of(bound.rows, 'row')} and "
            f"{bound.text_bytes / 1e9:.0f} GB",
            f"split the file into {int(run.times(bound)) + 1} parts, each a run of its own",
        )
    share = min(1.0, (recipe.judge.max_rows_per_job or workload.rows) / max(workload.rows, 1))
    job = _Size(run.rows * share, run.text_bytes * share)
    if in_parts and job.times(reach.of_a_job) > 1.0:
        most = max(1_000, int(job.rows / job.times(reach.of_a_job)) // 1_000 * 1_000)
        return Check(
            "size of the run",
            "fail",
            f"{summary}: a judge job has at most {count_of(reach.of_a_job.rows, 'row')} and "
            f"{reach.of_a_job.text_bytes / 1e9:.0f} GB",
            f"write judge.max_rows_per_job: {most} or less into the recipe",
        )
    return Check("size of the run", "pass", summary)
