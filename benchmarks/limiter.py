"""How much of a server the limiter uses, on a clock of its own: no machine's load counts.

`python benchmarks/limiter.py [--json] [--seeds 21]`. The limiter and the pauses are the product's;
threads, sockets and JSON are not measured here (`benchmarks/generation.py` has them, in real time).
"""

import argparse
import json
import statistics
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.made.limited_server import LATENCY, MOST, Bucket, Takes, asked, by_chance, up_to

FALLS, RISES, ENDS = 30.0, 60.0, 90.0
LONG = 0.3


class Scenario(NamedTuple):
    """A server, the rows it is asked, and the seconds of the best of clients."""

    name: str
    takes: Callable[[], Takes]
    rows: int
    ideal: float
    latency: float = LATENCY


class Measured(NamedTuple):
    """The share of the ideal rate over all seeds, and the share of calls that were refused."""

    name: str
    median: float
    least: float
    refused: float


def moving(now: float) -> int:
    return 15 if FALLS <= now < RISES else 40


def scenarios() -> list[Scenario]:
    of_moving = int(((ENDS - RISES + FALLS) * 40 + (RISES - FALLS) * 15) / LONG)
    found = [
        Scenario(
            f"{MOST} known slots", lambda: up_to(lambda _: 1000), 3500, 3500 * LONG / MOST, LONG
        ),
        Scenario("hidden cap of 40", lambda: up_to(lambda _: 40), 3600, 3600 * LONG / 40, LONG),
        Scenario("cap 40, then 15, then 40", lambda: up_to(moving), of_moving, ENDS, LONG),
    ]
    for share in (0.05, 0.3, 0.6, 0.9):
        ideal = 1500 * LATENCY / MOST / (1 - share)
        found.append(Scenario(f"{share:.0%} refused by chance", _chance(share), 1500, ideal))
    for rate, burst, others in ((200, 200, 0), (400, 50, 0), (600, 600, 200), (600, 100, 400)):
        name = f"bucket of {rate} per second, burst {burst}, others take {others}"
        ideal = (4000 - burst) / (rate - others)
        found.append(Scenario(name, _bucket(rate, burst, others), 4000, ideal))
    return found


def _chance(share: float) -> Callable[[], Takes]:
    return lambda: by_chance(share)


def _bucket(rate: float, burst: float, others: float) -> Callable[[], Takes]:
    return lambda: Bucket(rate, burst, others)


def measure(scenario: Scenario, seeds: int) -> Measured:
    ratios, refusals = [], []
    for seed in range(seeds):
        seconds, refused = asked(scenario.takes(), scenario.rows, seed, scenario.latency)
        ratios.append(scenario.ideal / seconds)
        refusals.append(refused / (scenario.rows + refused))
    return Measured(
        scenario.name, statistics.median(ratios), min(ratios), statistics.median(refusals)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seeds", type=int, default=21, help="runs of every scenario")
    given = parser.parse_args()
    found = [measure(scenario, given.seeds) for scenario in scenarios()]
    if given.json:
        print(json.dumps([each._asdict() for each in found]))
        return
    table = Table("server", "of ideal, median", "least", "calls refused")
    for each in found:
        table.add_row(each.name, *(f"{share:.3f}" for share in each[1:]))
    Console().print(table)


if __name__ == "__main__":
    main()
