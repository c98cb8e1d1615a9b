"""What a run cost beside what it was estimated to cost: `cost` of metrics.json."""

from collections.abc import Sequence
from typing import Any

import msgspec

from nova_judge.pairs.judge_dataset import DatasetSummary
from nova_judge.preflight.pricing import bill
from nova_judge.recipe import catalog
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.run import Run
from nova_judge.runs.usage import InstanceTime, TokenUse, Usage


def run_cost(
    run: Run, summary: DatasetSummary | None, outcomes: Sequence[JobOutcome], *, stand_in: bool
) -> dict[str, Any] | None:
    """`{currency, prices_read_on, prices_region, estimate, actual, unmetered}`.

    `actual` is None where a stand-in judged, which costs nothing; `unmetered` names what the run
    used and nobody measured. None for a run without an estimate.
    """
    if run.estimate is None:
        return None
    known = catalog.prices()
    actual = None if stand_in else msgspec.to_builtins(bill(_usage(run, summary, outcomes)))
    return {
        "currency": known.currency,
        "prices_read_on": known.read_on,
        "prices_region": known.region,
        "estimate": run.estimate,
        "actual": actual,
        "unmetered": _unmetered(run) if actual else [],
    }


def _usage(run: Run, summary: DatasetSummary | None, outcomes: Sequence[JobOutcome]) -> Usage:
    jobs = [o for o in outcomes if o.started is not None and o.ended is not None]
    tokens = summary.tokens if summary else {}
    return Usage(
        judge_jobs=tuple(
            InstanceTime(
                job.instance_type,
                ((job.ended or 0) - (job.started or 0)) / 1000,
                job.instance_count,
                job.name,
            )
            for job in jobs
        ),
        bedrock=tuple(
            TokenUse(run.recipe.candidate(side).model, count.input, count.output)
            for side, count in tokens.items()
            if run.recipe.candidate(side).source == "bedrock"
        ),
    )


def _unmetered(run: Run) -> list[str]:
    specs = [run.recipe.candidate(side) for side in run.generated()]
    endpoints = {spec.model for spec in specs if spec.source == "endpoint"}
    return [*(f"endpoint {model}" for model in sorted(endpoints)), "Step Functions", "Lambda"]
