"""Cost of a run, in US dollars: a bill by position, and the forecast before it starts."""

import msgspec

from nova_judge.runs.usage import Workload


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
