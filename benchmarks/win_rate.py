"""Win rate with interval and bootstrap over a million rows, against resampling the rows.

`python benchmarks/win_rate.py [--json] [--full]`. The loop resamples 100 times and is scaled to
10,000; `--full` runs all of it (minutes).
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from nova_judge.statistics.evidence import count_codes
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.win_rate import percentile_bootstrap, score_interval, scores_of_profiles

ROWS = 1_000_000
RESAMPLES = 10_000
REPEATS = 7


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def measure(loop_resamples: int) -> dict[str, float]:
    rng = np.random.default_rng(1)
    shares = [0.38, 0.47, 0.13, 0.02]
    forward = rng.choice(4, ROWS, p=shares).astype(np.uint8)
    backward = np.where(rng.random(ROWS) < 0.6, forward, rng.choice(4, ROWS, p=shares))
    backward = backward.astype(np.uint8)
    points = np.array([0.0, 1.0, 0.5, np.nan])
    judged = (forward != Outcome.ERROR) | (backward != Outcome.ERROR)
    with np.errstate(all="ignore"):
        scores = np.nanmean(np.stack([points[forward[judged]], points[backward[judged]]]), axis=0)

    def ours() -> object:
        counted = scores_of_profiles(count_codes(forward, backward))
        return percentile_bootstrap(counted, resamples=RESAMPLES), score_interval(counted)

    def loop() -> object:
        generator = np.random.default_rng(0)
        rows = len(scores)
        return [scores[generator.integers(0, rows, rows)].mean() for _ in range(loop_resamples)]

    counting = best(lambda: count_codes(forward, backward))
    counted = scores_of_profiles(count_codes(forward, backward))
    bootstrap = best(lambda: percentile_bootstrap(counted, resamples=RESAMPLES))
    interval = best(lambda: score_interval(counted))
    whole = best(ours)
    looped = best(loop, 1) * RESAMPLES / loop_resamples
    return {
        "rows": ROWS,
        "resamples": RESAMPLES,
        "counting_ms": 1e3 * counting,
        "bootstrap_ms": 1e3 * bootstrap,
        "interval_ms": 1e3 * interval,
        "ours_ms": 1e3 * whole,
        "loop_resamples_run": loop_resamples,
        "loop_s": looped,
        "ratio": looped / whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--full", action="store_true", help="run all resamples of the loop")
    given = parser.parse_args()
    found = measure(RESAMPLES if given.full else 100)
    if given.json:
        print(json.dumps(found))
        return
    table = Table(title=f"{ROWS:,} rows, {RESAMPLES:,} resamples")
    for column in ("step", "time"):
        table.add_column(column, justify="right" if column == "time" else "left")
    table.add_row("count the profiles", f"{found['counting_ms']:.2f} ms")
    table.add_row("percentile bootstrap on the counts", f"{found['bootstrap_ms']:.2f} ms")
    table.add_row("interval by Dirichlet weights", f"{found['interval_ms']:.2f} ms")
    table.add_row("all of it", f"[bold]{found['ours_ms']:.2f} ms[/]")
    measured = "" if given.full else f" ({found['loop_resamples_run']:.0f} run, scaled)"
    table.add_row(f"numpy resampling loop{measured}", f"{found['loop_s']:.1f} s")
    table.add_row("ratio", f"[bold]{found['ratio']:,.0f}[/]")
    Console().print(table)


if __name__ == "__main__":
    main()
