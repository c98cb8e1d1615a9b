"""What a run will cost and take, before anything is paid for.

Quantities come from the head of the input and from `data/assumptions.json`, prices from
`data/prices.json`; both are dated, and an estimate names the assumptions it rests on.
"""

import math
from typing import Any

import msgspec

from nova_judge import catalog
from nova_judge.dataset import CANDIDATES, AnswerSources, parse_line, shard_lines
from nova_judge.errors import BudgetError
from nova_judge.pricing import Bill, InstanceTime, TokenUse, Usage, bill
from nova_judge.recipe import Recipe
from nova_judge.records import Candidate, InputRow
from nova_judge.shards import Shard, cut


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What the input asks for. `exact` is False when `rows` is projected from the file's head.

    `prompt_characters` is the mean over the rows seen; `generated` names who has to answer.
    """

    rows: int
    prompt_characters: float
    size: int
    generated: tuple[Candidate, ...]
    exact: bool


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast: `likely`, and `worst`, with judge jobs up to their time limit and full answers.

    `hours` is the likely wall clock. `assumptions` says what both rest on.
    """

    workload: Workload
    likely: Bill
    worst: Bill
    hours: float
    assumptions: tuple[str, ...]


def read_workload(head: bytes, size: int, sources: AnswerSources) -> Workload:
    """The workload of a file of `size` bytes that begins with `head` (whole lines are counted)."""
    whole = len(head) >= size
    seen = head if whole else head[: head.rfind(b"\n") + 1]
    lines = shard_lines([seen], Shard(index=0, start=0, end=len(seen)))
    rows = [row for line in lines if isinstance(row := parse_line(line, sources), InputRow)]
    share = size / len(seen) if seen else 1.0
    characters = sum(len(row.prompt) for row in rows) / len(rows) if rows else 0.0
    generated = tuple(name for name in CANDIDATES if getattr(sources, name) == "generated")
    return Workload(
        rows=len(rows) if whole else round(len(rows) * share),
        prompt_characters=characters,
        size=size,
        generated=generated,
        exact=whole,
    )


def estimate_run(recipe: Recipe, workload: Workload) -> Estimate:
    """The forecast for one run of `recipe` over `workload`."""
    supposed = catalog.assumptions()
    share = supposed.answer_share.value
    judge_s = _judge_seconds(recipe, workload)
    jobs = _judge_jobs(recipe, workload)
    limit_s = float(recipe.judge.max_runtime_s)
    likely = _usage(recipe, workload, share, [judge_s / max(jobs, 1)] * jobs)
    worst = _usage(recipe, workload, 1.0, [limit_s] * jobs)
    return Estimate(
        workload=workload,
        likely=bill(likely),
        worst=bill(worst),
        hours=(_generation_seconds(recipe, workload, share) + judge_s) / 3600,
        assumptions=_assumptions(recipe, workload),
    )


def check_budget(recipe: Recipe, estimate: Estimate) -> None:
    """Refuse a run whose estimate is above `budget.max_usd`: raises BudgetError, which says why."""
    budget = recipe.budget.max_usd
    if budget is None:
        return
    if estimate.likely.unpriced:
        raise BudgetError(
            f"{recipe.name}: budget.max_usd is {budget:g}, but no price is known for "
            f"{', '.join(estimate.likely.unpriced)}: add it to nova_judge/data/prices.json, or "
            "leave budget.max_usd out"
        )
    if estimate.likely.usd > budget:
        dearest = max(estimate.likely.lines, key=lambda line: line.usd or 0)
        raise BudgetError(
            f"{recipe.name}: the estimate is ${estimate.likely.usd:,.2f} for "
            f"{estimate.workload.rows:,} rows, above budget.max_usd ${budget:,.2f}; the dearest "
            f"position is {dearest.what} (${dearest.usd or 0:,.2f}). Raise budget.max_usd, send "
            "fewer rows (`nova-judge plan` says how many a question needs), or choose a cheaper "
            "instance"
        )


def estimate_summary(estimate: Estimate) -> dict[str, Any]:
    """`cost.estimate` of metrics.json: plain JSON."""
    summary: dict[str, Any] = {
        **msgspec.to_builtins(estimate.likely),
        "worst_usd": estimate.worst.usd,
        "hours": estimate.hours,
        "rows": estimate.workload.rows,
        "assumptions": list(estimate.assumptions),
    }
    return summary


def _usage(
    recipe: Recipe, workload: Workload, answer_share: float, judge_seconds: list[float]
) -> Usage:
    supposed = catalog.assumptions()
    shards = sum(1 for _ in cut(workload.size, recipe.shards.bytes))
    return Usage(
        judge_jobs=tuple(
            InstanceTime(
                recipe.judge.instance_types[0],
                seconds,
                recipe.judge.instance_count,
                recipe.nova.run.model_name_or_path,
            )
            for seconds in judge_seconds
        ),
        endpoints=_endpoint_times(recipe, workload, answer_share),
        bedrock=tuple(
            _token_use(recipe, side, workload, answer_share)
            for side in workload.generated
            if recipe.candidate(side).source == "bedrock"
        ),
        transitions=supposed.transitions_per_run.value
        + shards * supposed.transitions_per_shard.value,
        lambda_gb_seconds=workload.rows
        * len(workload.generated)
        * supposed.lambda_gb_seconds_per_row.value,
    )


def _endpoint_times(
    recipe: Recipe, workload: Workload, answer_share: float
) -> tuple[InstanceTime, ...]:
    """One endpoint a model, shared by candidates of that model; up until the last one is done."""
    up_s = _generation_seconds(recipe, workload, answer_share)
    endpoints = catalog.models().endpoints
    return tuple(
        InstanceTime(endpoints[model].instance_types[0], up_s, 1, model)
        for model in _endpoint_tokens(recipe, workload, answer_share)
    )


def _generation_seconds(recipe: Recipe, workload: Workload, answer_share: float) -> float:
    """How long the slowest candidate takes; all answer at once."""
    supposed = catalog.assumptions()
    tokens = _endpoint_tokens(recipe, workload, answer_share)
    rates = supposed.endpoint_tokens_per_second.value
    busy_s = [count / rates[model] for model, count in tokens.items()]
    if any(recipe.candidate(side).source == "bedrock" for side in workload.generated):
        busy_s.append(workload.rows / supposed.bedrock_rows_per_second.value)
    start_s = supposed.endpoint_start_minutes.value * 60 if tokens else 0.0
    return start_s + max(busy_s, default=0.0)


def _endpoint_tokens(recipe: Recipe, workload: Workload, answer_share: float) -> dict[str, float]:
    """Tokens that each endpoint has to write."""
    tokens: dict[str, float] = {}
    for side in workload.generated:
        spec = recipe.candidate(side)
        if spec.source == "endpoint":
            written = workload.rows * recipe.generation_for(side).max_tokens * answer_share
            tokens[spec.model] = tokens.get(spec.model, 0.0) + written
    return tokens


def _token_use(
    recipe: Recipe, side: Candidate, workload: Workload, answer_share: float
) -> TokenUse:
    generation = recipe.generation_for(side)
    system = len(generation.system or "")
    per_token = catalog.assumptions().characters_per_token.value
    batch = generation.batch_from is not None and workload.rows >= generation.batch_from
    return TokenUse(
        recipe.candidate(side).model,
        workload.rows * (workload.prompt_characters + system) / per_token,
        workload.rows * generation.max_tokens * answer_share,
        batch,
    )


def _judge_jobs(recipe: Recipe, workload: Workload) -> int:
    if recipe.judge.nova is None:
        return 0
    most = recipe.judge.max_rows_per_job
    return 1 if most is None else max(1, math.ceil(workload.rows / most))


def _judge_seconds(recipe: Recipe, workload: Workload) -> float:
    """Instance seconds of all judge jobs together."""
    if recipe.judge.nova is None:
        return 0.0
    supposed = catalog.assumptions()
    rate = supposed.judge_rows_per_second.value[recipe.nova.run.model_type]
    start_s = supposed.judge_start_minutes.value * 60
    return _judge_jobs(recipe, workload) * start_s + workload.rows / rate


def _assumptions(recipe: Recipe, workload: Workload) -> tuple[str, ...]:
    supposed, known = catalog.assumptions(), catalog.prices()
    said = [
        f"list prices of {known.region}, read on {known.read_on} from public secondary sources",
        f"a judge job starts in {supposed.judge_start_minutes.value:g} min: "
        f"{supposed.judge_start_minutes.why}",
    ]
    if recipe.judge.nova is not None:
        rate = supposed.judge_rows_per_second.value[recipe.nova.run.model_type]
        said.append(f"the judge does {rate:g} rows/s: {supposed.judge_rows_per_second.why}")
    if workload.generated:
        said.append(supposed.answer_share.why)
        said.append(
            f"{supposed.characters_per_token.value:g} characters a token: "
            f"{supposed.characters_per_token.why}"
        )
    for side in workload.generated:
        spec = recipe.candidate(side)
        if spec.source == "endpoint":
            rate = supposed.endpoint_tokens_per_second.value[spec.model]
            said.append(
                f"{spec.model} writes {rate:g} tokens/s: {supposed.endpoint_tokens_per_second.why}"
            )
    if not workload.exact:
        said.append("the number of rows is projected from the first part of the file")
    return tuple(dict.fromkeys(said))
