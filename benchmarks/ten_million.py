"""A run of ten million rows against the limits of AWS, from what large_run.py measured of a piece.

    python benchmarks/large_run.py --jobs 1 --parts 10 --json | python benchmarks/ten_million.py

A piece is a judge job of a million rows: what each function took of it is read, what S3 takes of it
is added at 80 MB a second (assumed), and both are laid against the function's limits. Nothing of
this was billed: prices are those of `nova_judge/data/prices.json`. Orchestration is all that is
neither a model's answer nor a judge's job: transitions, functions beside the calls that they wait
for, and requests to S3, those for kept answers of two candidates among them.
"""

import json
import math
import sys
from typing import Any, Final, NamedTuple

from nova_judge.recipe import catalog
from nova_judge.runs.usage import MEMORY_MB

ROWS: Final = 10_000_000
PIECE: Final = 1_000_000
MB_A_SECOND: Final = 80.0
MINUTES_15: Final = 900.0
PUT_USD, GET_USD = 0.005 / 1000, 0.0004 / 1000
"""S3 Standard in us-east-1, https://aws.amazon.com/s3/pricing (read 2026-11-29)."""
KEPT_ANSWERS: Final = 2 * ROWS // 500 * 2.5
"""PUTs: chunks of at most 500 answers, of which a function writes some before they are full."""
EVENTS: Final = 25_000
STATE_BYTES: Final = 262_144


class Function(NamedTuple):
    """A function at its largest piece. `moved`: megabytes from and to S3; `pieces` of a run."""

    step: str
    state: str
    pieces: int
    moved: float
    whole: bool = False
    shards: bool = False


FUNCTIONS = (
    Function("shards", "GenerateResponses", 0, 1_000, shards=True),
    Function("build", "BuildJobs", 1, 850, whole=True),
    Function("files", "WriteJobFiles", ROWS // PIECE, 2_450),
    Function("read", "ProcessResults", ROWS // PIECE, 1_300),
    Function("reports", "ProcessResults", 1, 60, whole=True),
)


class Laid(NamedTuple):
    """A function against its limits: seconds and megabytes of its largest piece, all GB-seconds."""

    name: str
    pieces: int
    seconds: float
    peak_mb: float
    memory_mb: int
    disk_mb: float
    gb_seconds: float

    def line(self) -> str:
        return (
            f"| {self.name} | {self.pieces:,} | {self.seconds:.0f} s "
            f"({self.seconds / MINUTES_15:.0%}) | {self.peak_mb:,.0f} of {self.memory_mb:,} MB "
            f"({self.peak_mb / self.memory_mb:.0%}) | {self.disk_mb / 1024:.1f} GB "
            f"({self.disk_mb / 10_240:.0%}) |"
        )


def laid(function: Function, taken: dict[str, Any]) -> Laid:
    times = ROWS / PIECE
    moved = function.moved * (times if function.whole else 1.0)
    # The report is measured over all rows, planning over one piece of them.
    cpu = taken["cpu_s"] * (times if function.step == "build" else 1.0)
    seconds, pieces = cpu + moved / MB_A_SECOND, function.pieces
    if function.shards:
        pieces = math.ceil(taken["shards"] * times)
        seconds /= taken["shards"]
    memory = MEMORY_MB[function.state]
    suffix = {"read": ", a job's rows", "reports": ", the report"}.get(function.step, "")
    used = seconds * pieces * memory / 1024
    return Laid(
        function.state + suffix, pieces, seconds, taken["peak_mb"], memory, taken["disk_mb"], used
    )


def main() -> None:
    taken = {one["step"]: one for one in map(json.loads, sys.stdin)}
    functions = [laid(one, taken[one.step]) for one in FUNCTIONS if one.step in taken]
    print("| function | pieces | time of the largest, of 15 min | memory | disk |")
    print("|---|---|---|---|---|")
    print("\n".join(one.line() for one in functions))
    prices, supposed = catalog.prices(), catalog.assumptions()
    children = sum(one.pieces for one in functions[:1]) + ROWS // PIECE
    transitions = (
        supposed.transitions_per_run.value + children * supposed.transitions_per_shard.value
    )
    gb_seconds = sum(one.gb_seconds for one in functions)
    puts, gets = (
        sum(taken[one.step]["requests"].get(kind, 0) for one in FUNCTIONS if one.step in taken)
        * (ROWS // PIECE)
        for kind in ("PUT", "GET")
    )
    parts = {
        f"{transitions:,.0f} transitions": transitions * prices.step_functions_transition.price,
        f"{gb_seconds:,.0f} GB-seconds": gb_seconds * prices.lambda_gb_second.price,
        f"{puts:,} PUTs and {gets:,} GETs": puts * PUT_USD + gets * GET_USD,
        f"{KEPT_ANSWERS:,.0f} PUTs of kept answers": KEPT_ANSWERS * PUT_USD,
    }
    for what, usd in parts.items():
        print(f"{what}: ${usd:.2f}")
    print(f"orchestration: ${sum(parts.values()):.2f}")
    state = taken["build"]["state_bytes"] * (ROWS // PIECE)
    events = supposed.transitions_per_run.value * 5 + ROWS // PIECE * 8
    print(f"state: {state:,} of {STATE_BYTES:,} bytes ({state / STATE_BYTES:.0%})")
    print(f"events of the run's own history: {events:,.0f} of {EVENTS:,} ({events / EVENTS:.0%})")


if __name__ == "__main__":
    main()
