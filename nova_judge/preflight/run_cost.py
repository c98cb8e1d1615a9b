"""Cost of a run beside its estimate: `cost` of metrics.json."""

from collections.abc import Iterator, Sequence

import msgspec

from nova_judge.kinds.asked_pairs import judges_in_batch
from nova_judge.preflight.pricing import bill
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.cost import Bill, Estimate
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.meter import UNMETERED, Meter
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.usage import InstanceTime, TokenUse, Usage
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.recipe_endpoints import asked_models, endpoint_instances


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
        bedrock=(
            *(
                TokenUse(
                    source_of(spec).title(spec),
                    count.input,
                    count.output,
                    price=spec.price,
                    source=spec.source,
                )
                for side, count in tokens.items()
                if (spec := run.recipe.candidate(side))
                and source_of(spec).payment(spec) == "tokens"
            ),
            *_judge_tokens(run.recipe, summary.rows if summary else 0, outcomes),
        ),
    )


def _judge_tokens(recipe: Recipe, rows: int, outcomes: Sequence[JobOutcome]) -> Iterator[TokenUse]:
    """The tokens of judges that were asked by calls; kept replies cost none."""
    judge = recipe.judge
    models = list(judge.asked.values())
    for outcome in outcomes:
        if outcome.tokens is None or not models:
            continue
        model = models[outcome.number if judge.panel else 0]
        if source_of(model).payment(model) == "tokens":
            title = source_of(model).title(model)
            batch = judges_in_batch(recipe, model, rows)
            yield TokenUse(title, *outcome.tokens, batch, model.price, model.source)


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
