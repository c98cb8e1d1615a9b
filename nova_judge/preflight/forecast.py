"""The forecast of a run's cost and time, before anything is paid for.

Quantities come from the head of the input and from `data/assumptions.json`, prices from
`data/prices.json`; both are dated, and an estimate names the assumptions it rests on.
"""

from collections.abc import Iterator, Sequence

from nova_judge.errors import BudgetError, RecipeError
from nova_judge.inputs.reading import AnswerSources, asked_by
from nova_judge.json_lines import whole_lines
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.preflight.expected_usage import expected_usage, generation_seconds, judge_usage
from nova_judge.preflight.pricing import bill
from nova_judge.preflight.throughput import Throughput
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import FailedRow, InputRow, Rejected
from nova_judge.runs.cost import Estimate
from nova_judge.runs.usage import JudgeUsage, Workload
from nova_judge.sources.asked_warnings import asked_warnings
from nova_judge.sources.known_sources import source_of
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
    likely = expected_usage(recipe, workload, answer_share=share, measured=measured)
    worst = expected_usage(recipe, workload, answer_share=1.0, to_the_limit=True, measured=measured)
    judging = judge_usage(recipe, workload, measured)
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
