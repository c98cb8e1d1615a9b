"""How often each 95 % interval holds the truth, and how often the anytime-valid test errs.

`python benchmarks/coverage.py [--json] [--draws 10000] [--only NAME...]`. Judges are simulated:
every prompt has a true preference, ties have a probability, and the two orders agree beyond chance
with a correlation.
The estimates that cost more than counting take a share of the draws (`PARTS`).
"""

import argparse
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from fast_coverage import check_fast_path, holds, joint, profiles_of, quarters
from rich.console import Console
from rich.table import Table

from nova_judge.findings.bradley_terry import Match, leaderboard
from nova_judge.statistics.agreement import cohen_kappa
from nova_judge.statistics.corrected_win_rate import corrected_win_rate
from nova_judge.statistics.length_control import controlled_win_rate
from nova_judge.statistics.sequential import anytime_p_value, win_rate_anytime
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    percentile_bootstrap,
    wilson,
)

Part: TypeAlias = Callable[[np.random.Generator, int, int], Iterator[tuple[str, float]]]
SIZES = (5, 10, 20, 50, 100, 200, 500)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.95)
TIES = (0.0, 0.2, 0.4)
CORRELATIONS = (0.0, 0.3, 0.6, 0.9)


class Coverage(NamedTuple):
    """Mean and least coverage over all settings of one size."""

    interval: str
    n: int
    mean: float
    minimum: float
    settings: int


def of_win_rate(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for share, ties, correlation in itertools.product(SHARES, TIES, CORRELATIONS):
        table = joint(share, ties, correlation)
        scores = quarters(table)
        counts = rng.multinomial(n, scores, size=draws)
        truth = float(scores @ (np.arange(5) / 4))
        fast = holds(counts, truth)
        check_fast_path(counts, truth, fast)
        yield "win rate", float(fast.mean())
        decided = rng.multinomial(
            n, [table[0, 0], table[2, 2], 1 - table[0, 0] - table[2, 2]], draws
        )
        true_share = table[2, 2] / (table[0, 0] + table[2, 2])
        inside = [
            found.low <= true_share <= found.high
            for a, b, _ in decided[: max(1, draws // 10)].tolist()
            if isinstance(found := wilson(b, a + b), Interval)
        ]
        yield "win rate, decided rows", float(np.mean(inside))


def of_anytime(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for counts, truth in _scores_drawn(rng, draws, n):
        found = (win_rate_anytime(one) for one in counts)
        inside = [one.low <= truth <= one.high for one in found if isinstance(one, Interval)]
        yield "win rate, anytime (one look)", float(np.mean(inside))


def of_bootstrap(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for counts, truth in _scores_drawn(rng, draws, n):
        found = (percentile_bootstrap(one, resamples=1000) for one in counts)
        inside = [one.low <= truth <= one.high for one in found if isinstance(one, Interval)]
        yield "percentile bootstrap, for comparison", float(np.mean(inside))


def _scores_drawn(
    rng: np.random.Generator, draws: int, n: int
) -> Iterator[tuple[list[ScoreCounts], float]]:
    """For each setting of the win rate, the counts of every draw and the true rate."""
    for share, ties, correlation in itertools.product(SHARES, TIES, CORRELATIONS):
        scores = quarters(joint(share, ties, correlation))
        counts = rng.multinomial(n, scores, size=draws).tolist()
        yield [ScoreCounts(tuple(row)) for row in counts], float(scores @ (np.arange(5) / 4))


def of_kappa(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for right, ties, base in itertools.product((0.5, 0.7, 0.85, 0.95), TIES, (0.5, 0.8)):
        table = np.zeros((3, 3))
        for label, share in ((0, base), (1, 1 - base)):
            table[label] += share * ties * np.array([0, 0, 1])
            table[label, label] += share * (1 - ties) * right
            table[label, 1 - label] += share * (1 - ties) * (1 - right)
        chance = float(table.sum(axis=1) @ table.sum(axis=0))
        truth = (np.trace(table) - chance) / (1 - chance)
        drawn = rng.multinomial(n, table.ravel(), size=draws).reshape(-1, 3, 3)
        inside = [
            kappa.low <= truth <= kappa.high
            for one in drawn
            if (kappa := cohen_kappa(one)) and kappa.low is not None and kappa.high is not None
        ]
        if len(inside) >= draws // 4:
            yield "Cohen's kappa", float(np.mean(inside))


def of_correction(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    labels, of_orders = np.arange(3) / 2, np.add.outer(np.arange(3), np.arange(3)) / 4
    for share, right, ties in itertools.product((0.1, 0.3, 0.5, 0.8), (0.6, 0.8, 0.95), (0.0, 0.2)):
        of_label = np.array([(1 - ties) * (1 - share), ties, (1 - ties) * share])
        turned = np.array([[right, 0, 1 - right], [0, 1, 0], [1 - right, 0, right]])
        verdict = (1 - ties) * turned + ties * np.array([0, 1, 0])
        joined = of_label[:, None, None] * verdict[:, :, None] * verdict[:, None, :]
        truth = float(of_label @ [0, 0.5, 1])
        inside = []
        for _ in range(draws):
            labelled = rng.multinomial(n, joined.ravel()).reshape(3, 3, 3)
            others = rng.multinomial(1000, joined.sum(axis=0).ravel()).reshape(3, 3)
            rows = np.concatenate([labelled, others[None]]).reshape(4, 9)
            scores = np.repeat(np.tile(of_orders.ravel(), 4), rows.ravel())
            known = np.repeat(np.append(labels, np.nan), rows.sum(axis=1))
            found = corrected_win_rate(scores, known)
            inside.append(found.low <= truth <= found.high)
        yield "win rate, corrected by labels", float(np.mean(inside))


def of_length_control(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for log_odds, ties, effect, correlation in itertools.product(
        (-2, -1, 0, 1), (0, 0.3), (0, 0.3, 0.6, 1.0), (0, 0.6)
    ):
        truth = ties / 2 + (1 - ties) / (1 + np.exp(-log_odds))
        inside = []
        for _ in range(draws):
            difference = rng.normal(200, 500, n)
            share = 1 / (1 + np.exp(-log_odds - effect * np.tanh(difference / difference.std())))
            tied = rng.random((2, n)) < ties
            first, second = np.where(tied, 0.5, rng.random((2, n)) < share)
            scores = (first + np.where(rng.random(n) < correlation, first, second)) / 2
            found = controlled_win_rate(scores, difference[:, None], ("length",))
            inside.append(found.low <= truth <= found.high)
        yield "win rate at equal length", float(np.mean(inside))


def of_style_control(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    """Longer answers have more of everything; each of the four has an effect of its own."""
    of_length = np.array([1.0, 0.5, 0.7, 0.6])
    own = np.sqrt(1 - of_length**2)
    for log_odds, ties, effects in itertools.product(
        (-2, -1, 0, 1),
        (0, 0.3),
        ((0, 0, 0, 0), (0.6, 0, 0, 0), (0.3, 0.3, 0.3, 0.3), (1, 0, -0.5, 0)),
    ):
        truth = ties / 2 + (1 - ties) / (1 + np.exp(-log_odds))
        inside = []
        for _ in range(draws):
            drawn = rng.normal(0.4, 1, (n, 1)) * of_length + rng.normal(0, 1, (n, 4)) * own
            features = np.tanh(drawn / drawn.std(axis=0))
            share = 1 / (1 + np.exp(-log_odds - features @ np.array(effects)))
            wins = np.where(rng.random((2, n)) < ties, 0.5, rng.random((2, n)) < share)
            names = ("length", "headings", "list_items", "bold")
            found = controlled_win_rate(wins.mean(axis=0), drawn, names)
            inside.append(found.low <= truth <= found.high)
        yield "win rate at equal length and structure", float(np.mean(inside))


def of_leaderboard(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[str, float]]:
    for players, spread, correlation in itertools.product((3, 6), (0.5, 1.5), (0, 0.6)):
        inside = []
        for _ in range(draws):
            strengths = rng.normal(0, spread, players)
            strengths -= strengths.mean()
            matches = []
            for a, b in itertools.combinations(range(players), 2):
                share = 1 / (1 + np.exp(strengths[a] - strengths[b]))
                drawn = rng.multinomial(n, joint(share, 0, correlation).ravel()).reshape(3, 3)
                matches.append(Match(str(a), str(b), profiles_of(drawn)))
            for one in leaderboard(matches).standings:
                inside.append(one.low <= strengths[int(one.name)] <= one.high)
        yield "Bradley-Terry strength", float(np.mean(inside))


def false_alarms(rng: np.random.Generator, draws: int, rows: int = 2000) -> dict[str, float]:
    """How often the anytime-valid test calls a fair coin unfair, by how one looks."""
    needed = np.array([_least_wins(n) for n in range(1, rows + 1)])
    alarms = dict.fromkeys(("after every row", "every 25 rows", "at doubling sizes"), 0.0)
    looks = {
        "after every row": np.arange(rows),
        "every 25 rows": np.arange(24, rows, 25),
        "at doubling sizes": 2 ** np.arange(3, int(np.log2(rows)) + 1) - 1,
    }
    for _ in range(draws):
        wins = np.cumsum(rng.random(rows) < 0.5)
        most = np.maximum(wins, np.arange(1, rows + 1) - wins)
        for name, at in looks.items():
            alarms[name] += bool((most[at] >= needed[at]).any())
    return {name: count / draws for name, count in alarms.items()}


def rows_to_decide(rng: np.random.Generator, draws: int, share: float = 0.6) -> float:
    """Mean number of decided rows after which the anytime-valid test finds a true share."""
    needed = np.array([_least_wins(n) for n in range(1, 4001)])
    found = []
    for _ in range(draws):
        wins = np.cumsum(rng.random(len(needed)) < share)
        most = np.maximum(wins, np.arange(1, len(needed) + 1) - wins)
        found.append(int(np.argmax(most >= needed)) + 1)
    return float(np.mean(found))


def _least_wins(n: int) -> int:
    low, high = n // 2, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if anytime_p_value(middle, n - middle) <= 0.05 else (middle, high)
    return high


PARTS: dict[str, tuple[Part, int, int]] = {
    "win-rate": (of_win_rate, 1, 5),
    "anytime": (of_anytime, 100, 5),
    "bootstrap": (of_bootstrap, 50, 5),
    "kappa": (of_kappa, 5, 20),
    "labels": (of_correction, 50, 20),
    "length": (of_length_control, 50, 20),
    "style": (of_style_control, 50, 20),
    "leaderboard": (of_leaderboard, 50, 5),
}
"""By name: the simulation, of how many draws it takes one, and from what size on."""


def measure(draws: int, only: Sequence[str] = tuple(PARTS)) -> list[Coverage]:
    rng = np.random.default_rng(20)
    found = []
    for n in SIZES:
        by_name: dict[str, list[float]] = {}
        parts = (PARTS[name] for name in only)
        for name, share in itertools.chain.from_iterable(
            part(rng, max(20, draws // of_draws), n)
            for part, of_draws, least in parts
            if n >= least
        ):
            by_name.setdefault(name, []).append(share)
        found += [
            Coverage(name, n, float(np.mean(s)), min(s), len(s)) for name, s in by_name.items()
        ]
    return sorted(found, key=lambda c: c.interval)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--draws", type=int, default=10_000, help="draws of every setting")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these rows of the table alone")
    given = parser.parse_args()
    if given.only:
        show(measure(given.draws, given.only), as_json=given.json)
        return
    found = measure(given.draws)
    rng = np.random.default_rng(21)
    alarms = false_alarms(rng, given.draws)
    decide = rows_to_decide(rng, max(20, given.draws // 10))
    if given.json:
        said = {"coverage": [c._asdict() for c in found], "false_alarms": alarms}
        print(json.dumps({**said, "rows_to_decide_60": decide}))
        return
    show(found, as_json=False)
    for name, share in alarms.items():
        print(f"false alarms of the anytime-valid test, looking {name}: {share:.3f}")
    print(f"decided rows until a true .60 is found: {decide:.0f}")


def show(found: list[Coverage], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([c._asdict() for c in found]))
        return
    table = Table(
        "interval", "n", "mean", "minimum", "settings", title="coverage of 95 % intervals"
    )
    for one in found:
        shown = f"{one.mean:.3f}", f"{one.minimum:.3f}", str(one.settings)
        table.add_row(one.interval, str(one.n), *shown)
    Console().print(table)


if __name__ == "__main__":
    main()
