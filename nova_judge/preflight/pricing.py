"""Quantities to US dollars, by the dated price list in `data/prices.json`."""

import re

from nova_judge.preflight.model_check import GEOGRAPHIES
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import TokenPrice
from nova_judge.runs.cost import Bill, CostLine
from nova_judge.runs.usage import InstanceTime, TokenUse, Usage


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
