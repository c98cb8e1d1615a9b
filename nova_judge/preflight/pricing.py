"""Quantities to US dollars, by the dated price list in `data/prices.json`.

And the cost of a run beside its estimate: `cost` of metrics.json.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from nova_judge.kinds.asked_pairs import judges_in_batch
from nova_judge.preflight.model_check import GEOGRAPHIES
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import TokenPrice
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.usage import (
    UNMETERED,
    Bill,
    CostLine,
    Estimate,
    InstanceTime,
    Meter,
    TokenUse,
    Usage,
    tokens_of,
)
from nova_judge.sources.known_sources import asked_models, endpoint_instances, source_of


def bill(usage: Usage) -> Bill:
    """The cost of a usage, position by position; positions of nothing are left out."""
    prices = catalog.prices()
    lines = [
        *(_instance_line("judge", time) for time in usage.judge_jobs),
        *(_instance_line("endpoint", time) for time in usage.endpoints),
        *(_token_line(use) for use in usage.bedrock),
        *(CostLine("serverless", what, 1, "jobs", None) for what in usage.unpriced),
        _unit_line(
            "Step Functions",
            usage.transitions,
            "transitions",
            prices.step_functions_transition.price,
        ),
        _unit_line("Lambda", usage.lambda_gb_seconds, "GB-seconds", prices.lambda_gb_second.price),
    ]
    used = tuple(line for line in lines if line.quantity > 0)
    return Bill(
        lines=used,
        usd=sum(line.usd for line in used if line.usd is not None),
        unpriced=tuple(dict.fromkeys(line.what for line in used if line.usd is None)),
    )


def _instance_line(part: str, time: InstanceTime) -> CostLine:
    hours = time.seconds * time.instances / 3600
    price = catalog.prices().instance_hour.prices.get(time.instance_type)
    what = f"{time.what}, {time.instance_type}" if time.what else time.instance_type
    return CostLine(part, what, hours, "hours", None if price is None else hours * price)


def _token_line(use: TokenUse) -> CostLine:
    prices = catalog.prices().bedrock_million_tokens
    price = use.price or listed_price(use.model)
    total = use.input_tokens + use.output_tokens
    part = "Bedrock" if use.source == "bedrock" else use.source
    if price is None:
        return CostLine(part, use.model, total, "tokens", None)
    usd = (use.input_tokens * price.input + use.output_tokens * price.output) / 1e6
    return CostLine(
        part, use.model, total, "tokens", usd * (prices.batch_factor if use.batch else 1)
    )


def listed_price(model: str) -> TokenPrice | None:
    """The listed price of a model by its id, its ARN, or the id of an inference profile.

    A profile of a geography that is not listed costs what that of the US does, which is never
    less than the model itself; None where the list knows neither.
    """
    prices = catalog.prices().bedrock_million_tokens.prices
    named = re.sub(r"^arn:[^/]+:(?:inference-profile|foundation-model)/", "", model)
    geography, _, rest = named.partition(".")
    bare = rest if geography in GEOGRAPHIES else named
    names = (named, bare) if geography == "global" else (named, f"us.{bare}", bare)
    return next((prices[name] for name in names if name in prices), None)


def _unit_line(part: str, quantity: float, unit: str, price: float) -> CostLine:
    return CostLine(part, part, quantity, unit, quantity * price)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Estimated and actual cost of a run, by one dated price list.

    `actual` is None where a stand-in judged, which costs nothing; `unmetered` names what the run
    used and nobody measured.
    """

    currency: str
    prices_read_on: str
    prices_region: str
    estimate: Estimate
    actual: Bill | None
    unmetered: tuple[str, ...]


def run_cost(
    run: Run,
    summary: DatasetSummary | None,
    outcomes: Sequence[JobOutcome],
    meter: Meter = UNMETERED,
    *,
    stand_in: bool,
) -> Cost | None:
    """The cost of a run; None for a run without an estimate."""
    if run.estimate is None:
        return None
    prices = catalog.prices()
    return Cost(
        currency=prices.currency,
        prices_read_on=prices.read_on,
        prices_region=prices.region,
        estimate=run.estimate,
        actual=None if stand_in else bill(usage_of(run, summary, outcomes, meter)),
        unmetered=() if stand_in else _unmetered(run, meter),
    )


def usage_of(
    run: Run,
    summary: DatasetSummary | None,
    outcomes: Sequence[JobOutcome],
    meter: Meter = UNMETERED,
) -> Usage:
    """What is metered of a run by now."""
    jobs = [o for o in outcomes if o.started is not None and o.ended is not None]
    tokens = summary.tokens if summary else {}
    answered = (
        tokens_of(run.recipe.candidate(side), count.input, count.output)
        for side, count in tokens.items()
    )
    judged = _judge_tokens(run.recipe, summary.rows if summary else 0, outcomes)
    return Usage(
        endpoints=meter.endpoints,
        transitions=meter.transitions or 0,
        lambda_gb_seconds=meter.lambda_gb_seconds or 0,
        judge_jobs=tuple(
            InstanceTime(
                job.instance_type,
                ((job.ended or 0) - (job.started or 0)) / 1000,
                job.instance_count,
                job.name,
            )
            for job in jobs
        ),
        bedrock=tuple(filter(None, (*answered, *judged))),
    )


def _judge_tokens(
    recipe: Recipe, rows: int, outcomes: Sequence[JobOutcome]
) -> Iterator[TokenUse | None]:
    """The tokens of judges that were asked by calls; kept replies cost none."""
    judge = recipe.judge
    models = list(judge.asked.values())
    for outcome in outcomes:
        if outcome.tokens is None or not models:
            continue
        model = models[outcome.number if judge.panel else 0]
        yield tokens_of(model, *outcome.tokens, batch=judges_in_batch(recipe, model, rows))


def _unmetered(run: Run, meter: Meter) -> tuple[str, ...]:
    timed = {time.what for time in meter.endpoints}
    others = {
        f"{model.source} {source_of(model).title(model)}"
        for model in asked_models(run.recipe, run.generated()).values()
        if source_of(model).payment(model) != "tokens"
        and timed.isdisjoint(endpoint_instances([model]))
    }
    unread = () if meter.transitions is not None else ("Step Functions", "Lambda")
    return (*sorted(others), *unread)
