"""Coverage and false decisions where it is hard: lost orders, repeated prompts, few rows, ties.

`python benchmarks/edges.py [--json] [--draws 400]`, ten times as many for clusters of one size.
Intervals and decisions of all draws of one setting are computed at once where that can be; the
first of each setting are compared with the product's own.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from nova_judge.statistics.arrays import Flags, Floats, Ints
from nova_judge.statistics.clusters import cluster_counts
from nova_judge.statistics.contest import Contest, contest_of_profiles, decision_of, win_rate_of
from nova_judge.statistics.decision import Word
from nova_judge.statistics.dirichlet_mean import _NODE_WEIGHTS, _NODES
from nova_judge.statistics.distributions import flip_test_of_counts, normal_level
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.win_rate import Interval, ScoreCounts

QUARTERS = np.array([[0, 2, 1], [2, 4, 3], [1, 3, 2]])
AGREED = np.eye(3, dtype=bool)
CHECKED = 3


class Figure(NamedTuple):
    """Least coverage and most false decisions over all settings of one kind."""

    kind: str
    n: int
    coverage: float
    false_decisions: float
    settings: int


def verdict_table(lean: float, first: float, ties: float) -> Floats:
    """Chances of forward (rows) and backward verdict (A, B, tie) of a prompt drawn at random.

    The log-odds of B have mean `lean` and standard deviation 1 over prompts; equal answers are won
    by the one shown first with chance `first`.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    bias = np.log(first / (1 - first))
    table = np.zeros((3, 3))
    for node, weight in zip(nodes, weights / weights.sum(), strict=True):
        forward, backward = (1 / (1 + np.exp(-(lean + node + s * bias))) for s in (-1, 1))
        one, other = (
            np.array([1 - share, share, 0]) * (1 - ties) + np.array([0, 0, ties])
            for share in (forward, backward)
        )
        table += weight * np.outer(one, other)
    return table


def losses(table: Floats, how: str, lost: float) -> tuple[Floats, Floats]:
    """The chance that a row of each profile loses its forward, and its backward order."""
    whole = np.ones((3, 3))
    if how == "either side":
        return whole * lost / 2, whole * lost / 2
    if how == "one side":
        return whole * 0, whole * lost
    chance = min(1.0, lost / float(table[~AGREED].sum()))
    return whole * 0, np.where(AGREED, 0, chance)


def below(counts: Floats, truth: Floats) -> Floats:
    """P(mean <= truth) under the win rate's Dirichlet weights, for each row of counts."""
    weights = counts.astype(np.float64)
    weights[:, [0, -1]] += 0.5
    offsets = np.arange(5)[None] / 4 - truth[:, None]
    return _tail(offsets, weights)


def _tail(offsets: Floats, weights: Floats) -> Floats:
    scale = np.sqrt((weights * offsets**2).sum(axis=1))
    found = np.empty(len(offsets))
    for start in range(0, len(offsets), 200):
        part = slice(start, start + 200)
        scaled = (offsets[part] / scale[part, None])[:, :, None] * _NODES
        phase = (weights[part, :, None] * np.arctan(scaled)).sum(axis=1)
        modulus = 0.5 * (weights[part, :, None] * np.log1p(scaled**2)).sum(axis=1)
        found[part] = 0.5 - (np.sin(phase) * np.exp(-modulus)) @ _NODE_WEIGHTS / np.pi
    return found


def of_lost_orders(rng: np.random.Generator, draws: int, n: int) -> Iterator[Figure]:
    for how, lean in itertools.product(
        ("either side", "one side", "where orders differ"), (0, 0.5, 1.5)
    ):
        held, wrong = [], []
        for first, ties, lost in itertools.product(
            (0.5, 0.6, 0.7), (0, 0.2), (0.05, 0.1, 0.2, 0.3)
        ):
            table = verdict_table(lean, first, ties)
            truth = float((table * QUARTERS).sum() / 4)
            forward, backward = losses(table, how, lost)
            chances = np.stack(
                [table * (1 - forward - backward), table * forward, table * backward]
            )
            drawn = rng.multinomial(n, chances.ravel(), draws).reshape(draws, 3, 3, 3)
            profiles = [_profiles(one) for one in drawn]
            held.append(_covered(profiles, truth).mean())
            if lean == 0:
                words = [decision_of(contest_of_profiles(one)) for one in profiles[: draws // 4]]
                wrong += [np.mean([word is side for word in words]) for side in SIDES]
        equal = "equal candidates" if lean == 0 else f"B better by {lean}"
        yield Figure(f"orders lost {how}, {equal}", n, min(held), max(wrong, default=0), len(held))


SIDES = (Word.A_BETTER, Word.B_BETTER)


def _covered(profiles: list[ProfileCounts], truth: float) -> Flags:
    contests = [contest_of_profiles(one) for one in profiles]
    counts = np.array([contest.scores.counts for contest in contests])
    means = counts @ np.arange(5) / 4 / counts.sum(axis=1)
    low, high = (
        truth - np.array([getattr(c.reach, end) for c in contests]) for end in ("low", "high")
    )
    ends = [np.clip(end, 1e-9, 1 - 1e-9) for end in (low, high)]
    inside: Flags = ((below(counts, ends[0]) >= 0.025) | (means <= low)) & (
        (below(counts, ends[1]) <= 0.975) | (means >= high)
    )
    for contest, said in zip(contests[:CHECKED], inside[:CHECKED], strict=True):
        found = win_rate_of(contest)
        assert isinstance(found, Interval)
        assert said == (found.low <= truth <= found.high), (contest, truth, found)
    return inside


def _profiles(drawn: Ints) -> ProfileCounts:
    """Whole rows, rows without forward and rows without backward verdict as profile counts."""
    counts = np.zeros((4, 4), dtype=np.int64)
    counts[:3, :3] = drawn[0]
    counts[3, :3] = drawn[1].sum(axis=0)
    counts[:3, 3] = drawn[2].sum(axis=1)
    return ProfileCounts(tuple(counts.ravel().tolist()))


def of_clusters(rng: np.random.Generator, draws: int, prompts: int, rows: int) -> Iterator[Figure]:
    """The same number of rows on every prompt."""
    held, wrong = [], []
    for spread, lean, ties in itertools.product((0.5, 1, 2, 4), (0, 1), (0, 0.4)):
        truth = ties / 2 + (1 - ties) * _mean_share(lean, spread)
        log_odds = rng.normal(lean, spread, (draws, prompts))
        decided = rng.binomial(rows, 1 - ties, (draws, prompts))
        wins = rng.binomial(decided, 1 / (1 + np.exp(-log_odds)))
        twice = np.apply_along_axis(
            np.bincount, 1, 2 * wins + rows - decided, minlength=2 * rows + 1
        )
        mass = twice.astype(np.float64)
        mass[:, [0, -1]] += 0.5
        offsets = np.tile(np.arange(2 * rows + 1) / 2 - truth * rows, (draws, 1))
        tail = (1 - normal_level(0.95, prompts - 1)) / 2
        lower = _tail(offsets, mass)
        inside = (lower >= tail) & (lower <= 1 - tail)
        held.append(float(inside.mean()))
        for i in range(CHECKED):
            found = win_rate_of(_contest(wins[i], decided[i], np.full(prompts, rows)))
            assert isinstance(found, Interval)
            assert inside[i] == (found.low <= truth <= found.high), (wins[i], truth, found)
        if lean == 0:
            tested = [flip_test_of_counts(leads) for leads in 2 * wins - decided]
            wrong.append(float(np.mean(~inside & (np.array(tested) < 0.05))))
    yield Figure(f"{prompts} prompts, rows each", rows, min(held), max(wrong), len(held))


def of_unequal_clusters(
    rng: np.random.Generator, draws: int, prompts: int, rows: int
) -> Iterator[Figure]:
    """One to `rows` rows on a prompt, drawn at random, or more where B does better."""
    held, wrong = [], []
    for spread, pulled in itertools.product((1, 3), (False, True)):
        inside, named = [], []
        for _ in range(draws):
            log_odds = rng.normal(0, spread, prompts)
            share = 1 / (1 + np.exp(-log_odds))
            sizes = 1 + rng.binomial(rows - 1, share if pulled else np.full(prompts, 0.5))
            wins = rng.binomial(sizes, share)
            contest = _contest(wins, sizes, sizes)
            found = win_rate_of(contest)
            assert isinstance(found, Interval)
            truth = _mean_share(0, spread, rows) if pulled else 0.5
            inside.append(found.low <= truth <= found.high)
            named.append(decision_of(contest) in SIDES)
        held.append(float(np.mean(inside)))
        if not pulled:
            wrong.append(float(np.mean(named)))
    yield Figure(f"{prompts} prompts, up to so many rows", rows, min(held), max(wrong), len(held))


def _mean_share(lean: float, spread: float, rows: int = 1) -> float:
    """The mean share of B over rows; with `rows`, of prompts that have 1 + (rows - 1) x share."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    share = 1 / (1 + np.exp(-lean - spread * nodes))
    sizes = weights * (1 + (rows - 1) * share)
    return float(sizes @ share / sizes.sum())


def _contest(wins: Ints, decided: Ints, sizes: Ints) -> Contest:
    """The contest of prompts with so many rows, decided ones, and ones that B wins."""
    keys = np.repeat(np.arange(1, len(wins) + 1, dtype=np.uint64), sizes)
    places = np.arange(len(keys)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    of_b, named = places < np.repeat(wins, sizes), places < np.repeat(decided, sizes)
    leads = np.where(named, np.where(of_b, 1, -1), 0)
    counted = cluster_counts(keys, (leads + 1) / 2, leads)
    a, b = int((leads < 0).sum()), int((leads > 0).sum())
    ties = len(leads) - a - b
    return Contest(a, b, len(leads), ScoreCounts((a, 0, ties, 0, b)), clusters=counted)


def of_small(rng: np.random.Generator, draws: int, n: int) -> Iterator[Figure]:
    """False decisions of equal candidates in few rows, with ties and a judge that flips."""
    wrong = []
    for first, ties in itertools.product((0.5, 0.7), (0, 0.3, 0.9)):
        drawn = rng.multinomial(n, verdict_table(0, first, ties).ravel(), draws)
        kinds, times = np.unique(drawn, axis=0, return_counts=True)
        words = [
            decision_of(contest_of_profiles(_profiles(np.stack([one, one * 0, one * 0]))))
            for one in kinds.reshape(-1, 3, 3)
        ]
        wrong.append(float(np.average([word in SIDES for word in words], weights=times)))
    yield Figure("equal candidates, both orders", n, 1.0, max(wrong), len(wrong))


def measure(draws: int) -> list[Figure]:
    rng = np.random.default_rng(22)
    parts = [of_lost_orders(rng, draws, n) for n in (100, 300, 800)]
    repeated = list(itertools.product((20, 50, 200), (5, 10)))
    parts += [of_clusters(rng, 10 * draws, prompts, rows) for prompts, rows in repeated]
    parts += [of_unequal_clusters(rng, draws, prompts, 10) for prompts in (20, 50, 200)]
    parts += [of_small(rng, draws, n) for n in (5, 10, 20, 50, 200)]
    return list(itertools.chain(*parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--draws", type=int, default=400, help="draws of every setting")
    given = parser.parse_args()
    found = measure(given.draws)
    if given.json:
        print(json.dumps([figure._asdict() for figure in found]))
        return
    table = Table("kind", "n", "least coverage", "most false decisions", "settings")
    for one in found:
        shown = f"{one.coverage:.3f}", f"{one.false_decisions:.3f}", str(one.settings)
        table.add_row(one.kind, str(one.n), *shown)
    Console().print(table)


if __name__ == "__main__":
    main()
