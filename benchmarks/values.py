"""Coverage and false alarms of metrics and criteria where prompts have several rows.

`python benchmarks/values.py [--json] [--draws 2000]`. Rows of a prompt share an effect of the
prompt. Whether an interval holds the truth is read off the distribution of the mean at the truth;
the first draws of each setting are compared with the product's own intervals.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from nova_judge.statistics.arrays import Floats, Keys
from nova_judge.statistics.clusters import sums_by_prompt
from nova_judge.statistics.dirichlet_mean import Bounds, mean_cdf, sums_and_prompts
from nova_judge.statistics.distributions import normal_level, student_quantile
from nova_judge.statistics.metric_means import Scale, mean_score
from nova_judge.statistics.observed_scale import (
    mean_difference_p_value,
    observed_bounds,
    standard_error_of,
)
from nova_judge.statistics.win_rate import Interval

CHECKED = 3
DIFFERENCES = ("ROUGE-like", "steps of a criterion", "right and wrong", "rare errors")
SCORES = ("right or wrong", "steps of a score")
LEVEL = 0.95


class Figure(NamedTuple):
    """Coverage, and false alarms where the truth is 0, of one kind of values.

    as_rows: false alarms of the same test if each row were a prompt.
    """

    kind: str
    prompts: int
    rows: str
    coverage: float
    false_alarms: float | None
    as_rows: float | None


def sizes_of(rng: np.random.Generator, prompts: int, rows: str) -> list[int]:
    if rows == "1 to 10":
        return (1 + rng.binomial(9, rng.beta(0.5, 0.5, prompts))).tolist()
    return [int(rows)] * prompts


def drawn(kind: str, rng: np.random.Generator, keys: Keys) -> tuple[Floats, float]:
    """Values of rows, and their true mean."""
    of_row, rows = keys.astype(np.int64) - 1, len(keys)
    prompts = int(of_row.max()) + 1
    if kind == "ROUGE-like":
        return rng.normal(0, 0.1, prompts)[of_row] + rng.normal(0, 0.1, rows), 0.0
    if kind == "steps of a criterion":
        steps = rng.normal(0, 1, prompts)[of_row] + rng.normal(0, 0.6, rows)
        return np.clip(np.rint(steps), -2, 2) / 4, 0.0
    if kind == "right and wrong":
        chances = 1 / (1 + np.exp(-rng.normal(1, 2, (2, prompts))))[:, of_row]
        first, second = (rng.random((2, rows)) < chances).astype(np.float64)
        return second - first, 0.0
    if kind == "rare errors":
        chance = rng.beta(0.3, 1.2, prompts)[of_row]
        return -(rng.random(rows) < chance).astype(np.float64), -0.2
    share = rng.beta(0.8, 0.4, prompts)[of_row]
    if kind == "right or wrong":
        return (rng.random(rows) < share).astype(np.float64), 2 / 3
    return rng.binomial(4, share) / 4, 2 / 3


def holds_difference(values: Floats, keys: Keys, truth: float) -> bool:
    """What `observed_bounds` would say of the truth, for values that are not all equal."""
    sums, sizes = sums_by_prompt(values, keys)
    means, prompts = sums / sizes, len(sums)
    least, width = float(means.min()), float(np.ptp(means))
    if width < 1e-9:
        found = observed_bounds(values, LEVEL, Bounds(-1, 1), keys)
        assert isinstance(found, Bounds)
        return found.low <= truth <= found.high
    away = (truth - values.mean()) / standard_error_of(sums, sizes)
    reach = student_quantile(LEVEL, prompts - 1)
    if abs(away) <= reach:
        return True
    share = (truth - least) / width
    return 0 < share < 1 and dirichlet_holds((sums - least * sizes) / width, sizes, share)


def dirichlet_holds(sums: Floats, sizes: Floats, truth: float) -> bool:
    """What the Dirichlet weights over prompts say of the true mean of values from 0 to 1."""
    wins, of_kind, weights = sums_and_prompts(sums, sizes)
    size = float(sizes.mean())
    wins, of_kind = np.append(wins, [0, size]), np.append(of_kind, [size, size])
    below = mean_cdf(truth, wins, np.append(weights, [0.5, 0.5]), of_kind)
    tail = (1 - normal_level(LEVEL, len(sums) - 1)) / 2
    return tail <= below <= 1 - tail


def of_differences(
    rng: np.random.Generator, draws: int, kind: str, prompts: int, rows: str
) -> Figure:
    held, wrong, as_rows = [], [], []
    for number in range(draws):
        sizes = sizes_of(rng, prompts, rows)
        keys = np.repeat(np.arange(1, prompts + 1, dtype=np.uint64), sizes)
        values, truth = drawn(kind, rng, keys)
        held.append(holds_difference(values, keys, truth))
        if number < CHECKED:
            found = observed_bounds(values, LEVEL, Bounds(-1, 1), keys)
            assert isinstance(found, Bounds)
            assert held[-1] == (found.low <= truth <= found.high), (values, found)
        if truth == 0:
            wrong.append(mean_difference_p_value(values, keys) < 1 - LEVEL)
            as_rows.append(mean_difference_p_value(values) < 1 - LEVEL)
    alarms, of_rows = (float(np.mean(each)) if each else None for each in (wrong, as_rows))
    return Figure(f"difference: {kind}", prompts, rows, float(np.mean(held)), alarms, of_rows)


def of_scores(rng: np.random.Generator, draws: int, kind: str, prompts: int, rows: str) -> Figure:
    held = []
    for number in range(draws):
        sizes = sizes_of(rng, prompts, rows)
        keys = np.repeat(np.arange(1, prompts + 1, dtype=np.uint64), sizes)
        values, truth = drawn(kind, rng, keys)
        held.append(dirichlet_holds(*sums_by_prompt(values, keys), truth))
        if number < CHECKED:
            found = mean_score(values.tolist(), Scale(0, 1), LEVEL, keys)
            assert isinstance(found, Interval)
            assert held[-1] == (found.low <= truth <= found.high), (values, found)
    return Figure(f"mean: {kind}", prompts, rows, float(np.mean(held)), None, None)


def measure(draws: int) -> Iterator[Figure]:
    rng = np.random.default_rng(23)
    for prompts, rows in itertools.product((20, 50, 200), ("5", "10", "1 to 10")):
        for kind in DIFFERENCES:
            yield of_differences(rng, draws, kind, prompts, rows)
        for kind in SCORES:
            yield of_scores(rng, draws, kind, prompts, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--draws", type=int, default=2_000, help="draws of every setting")
    given = parser.parse_args()
    found = list(measure(given.draws))
    if given.json:
        print(json.dumps([figure._asdict() for figure in found]))
        return
    table = Table("values", "prompts", "rows of each", "coverage", "false alarms", "as rows")
    for one in found:
        alarms = ("" if share is None else f"{share:.3f}" for share in one[4:])
        table.add_row(one.kind, str(one.prompts), one.rows, f"{one.coverage:.3f}", *alarms)
    Console().print(table)


if __name__ == "__main__":
    main()
