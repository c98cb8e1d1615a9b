"""The work and the usage of a run: forecast, metered and billed, in quantities and US dollars."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from nova_judge.recipe.asked_model import AskedModel, TokenPrice
from nova_judge.sources.known_sources import source_of

UNKNOWN = "instance type not known yet"
MEMORY_MB: Mapping[str, int] = {
    "PlanEvaluation": 3008,
    "ClaimRun": 512,
    "PrepareEndpoints": 1769,
    "GenerateResponses": 1024,
    "ReleaseEndpoints": 512,
    "BatchResponses": 2048,
    "BuildJobs": 2048,
    "WriteJobFiles": 2048,
    "JudgeRows": 2048,
    "CollectVerdicts": 2048,
    "RecordFailure": 1024,
    "ProcessResults": 3008,
}
"""Memory of the function behind each state, as the stacks set it; of PrepareEndpoints where a stage
copies gated models (others give it 512)."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The work that the input asks for. `exact` is False when `rows` is projected from its head.

    `prompt_characters` is the mean over the rows seen; `generated` names who has to answer.
    """

    rows: int
    prompt_characters: float = 0.0
    size: int = 0
    generated: tuple[str, ...] = ()
    exact: bool = True


class InstanceTime(NamedTuple):
    """Instances that were up: `seconds` is what AWS bills for each of `instances`."""

    instance_type: str
    seconds: float
    instances: int = 1
    what: str = ""


class TokenUse(NamedTuple):
    """Tokens that a model read and wrote; `price` is the recipe's, if it gives one.

    `source` is the key that names the model in the recipe.
    """

    model: str
    input_tokens: float
    output_tokens: float
    batch: bool = False
    price: TokenPrice | None = None
    source: str = "bedrock"


def tokens_of(
    model: AskedModel, read: float, written: float, *, batch: bool = False
) -> TokenUse | None:
    """The tokens that a model is paid by; None where its answers cost otherwise, or nothing."""
    source = source_of(model)
    if source.payment(model) != "tokens":
        return None
    return TokenUse(source.title(model), read, written, batch, model.price, model.source)


class JudgeUsage(NamedTuple):
    """The expected usage of a run's jobs. `unpriced`: jobs that our price list leaves out.

    `calls_s`: seconds of a judge that is asked by calls, `endpoints`: those that it is asked on.
    `rests_on` says which assumptions stand behind the figures.
    """

    jobs: tuple[InstanceTime, ...] = ()
    endpoints: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    calls_s: float = 0.0

    @property
    def seconds(self) -> float:
        """The time of all jobs, one after the other."""
        return sum(job.seconds for job in self.jobs) + self.calls_s


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The usage of a run, as far as known. `unpriced`: jobs that our price list leaves out."""

    judge_jobs: tuple[InstanceTime, ...] = ()
    endpoints: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    transitions: float = 0
    lambda_gb_seconds: float = 0


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """Metered by now. `endpoints`: each for as long as the run leased it, from its creation on; one
    that several runs share counts in full for each of them.

    `transitions` and `lambda_gb_seconds` are None where the execution could not be read. Of a
    map's children some are read, and the others count like them.
    """

    endpoints: tuple[InstanceTime, ...] = ()
    transitions: float | None = None
    lambda_gb_seconds: float | None = None


UNMETERED = Meter()


class EndpointLease(msgspec.Struct, frozen=True):
    """A run's lease of one endpoint in the runs table, as text: `since` and `until` in epoch
    seconds. Without an `instance_type` it never answered.
    """

    since: float
    instance_type: str = ""
    until: float | None = None


def endpoint_times(leases: Mapping[str, EndpointLease], now: float) -> tuple[InstanceTime, ...]:
    """The time of each endpoint that came up, until it was given up or now."""
    return tuple(
        InstanceTime(lease.instance_type, max(0.0, (lease.until or now) - lease.since), 1, model)
        for model, lease in sorted(leases.items())
        if lease.instance_type
    )


class CostLine(msgspec.Struct, frozen=True):
    """One position of an estimate or a bill. `usd` is None where no price is known."""

    part: str
    what: str
    quantity: float
    unit: str
    usd: float | None


class Bill(msgspec.Struct, frozen=True):
    """Cost of a usage. `usd` sums the lines with a known price; `unpriced` names the others."""

    lines: tuple[CostLine, ...]
    usd: float
    unpriced: tuple[str, ...]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast: `likely`, and `worst`, with judge jobs up to their time limit and full answers.

    `hours` is the likely wall clock. `assumptions` says what both rest on, `warnings` what will
    probably keep the run from telling what it was asked.
    """

    workload: Workload
    likely: Bill
    worst: Bill
    hours: float
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = ()
