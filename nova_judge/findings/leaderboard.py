"""Many runs, one table: Bradley-Terry strengths with intervals, and no rank that is not earned.

Bradley and Terry (1952, Biometrika 39): the log-odds that one candidate beats another are the
difference of their strengths. A row counts with its score; half an observation at either end,
shared out over a candidate's comparisons, keeps strengths finite; and the intervals come from the
sandwich variance over rows, so that ties and inconsistent rows count for what they are. Strengths
are relative to the mean of a component: candidates that no chain of runs connects are not compared.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.statistics.evidence import Floats
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.win_rate import ScoreCounts, scores_of_profiles

_END = 0.5
_MAX_STEPS = 200
_LONGEST_STEP = 1.0


class Match(NamedTuple):
    """One run: two candidates by name, and the profile counts of its rows."""

    a: str
    b: str
    profiles: ProfileCounts


class Standing(msgspec.Struct, frozen=True):
    """One candidate of the board.

    strength: log-odds against the average candidate of the component; `win_rate` is the same as a
    probability. rank: None where the interval overlaps another one's; `best_rank` and `worst_rank`
    are then what the intervals allow.
    """

    name: str
    component: int
    strength: float
    low: float
    high: float
    win_rate: float
    rank: int | None
    best_rank: int
    worst_rank: int
    rows: int


class Leaderboard(msgspec.Struct, frozen=True):
    """Standings by component, strongest first.

    `not_compared`: candidates without a judged row against another one.
    """

    standings: tuple[Standing, ...]
    components: int
    not_compared: tuple[str, ...]
    level: float
    method: str


METHOD = "Bradley-Terry, ties as half, sandwich variance over rows"


def leaderboard(matches: Iterable[Match], level: float = 0.95) -> Leaderboard:
    """The standings of all candidates that the runs compare. The order of runs plays no part."""
    merged = _merged(matches)
    connected = _components(merged)
    groups = [names for names in connected if len(names) > 1]
    alone = sorted(name for names in connected if len(names) == 1 for name in names)
    standings: list[Standing] = []
    for number, names in enumerate(groups, start=1):
        inside = [match for match in merged if {match.a, match.b} <= names]
        standings.extend(_component_standings(sorted(names), inside, number, level))
    return Leaderboard(tuple(standings), len(groups), tuple(alone), level, METHOD)


def _merged(matches: Iterable[Match]) -> list[Match]:
    """One match a pair, the name that sorts first as A; runs of one pair add up."""
    pairs: dict[tuple[str, str], ProfileCounts] = {}
    for match in matches:
        if match.a == match.b:
            continue
        turned = match.a > match.b
        pair = (match.b, match.a) if turned else (match.a, match.b)
        profiles = match.profiles.mirrored() if turned else match.profiles
        pairs[pair] = pairs.get(pair, ProfileCounts()) + profiles
    return [Match(*pair, profiles) for pair, profiles in sorted(pairs.items(), key=lambda x: x[0])]


def _components(matches: Sequence[Match]) -> list[set[str]]:
    """Sets of candidates that chains of judged rows connect, the largest first."""
    groups: list[set[str]] = []
    for match in matches:
        joined = {match.a, match.b} if match.profiles.judged else {match.a}
        for members in (joined, {match.b}):
            touching = [group for group in groups if group & members]
            groups = [group for group in groups if group not in touching]
            groups.append(members.union(*touching))
    return sorted(groups, key=lambda group: (-len(group), min(group)))


def _component_standings(
    names: list[str], matches: Sequence[Match], component: int, level: float
) -> list[Standing]:
    strengths, covariance = _fit(names, matches)
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    reach = z * np.sqrt(np.maximum(np.diag(covariance), 0.0))
    low, high = strengths - reach, strengths + reach
    rows: Counter[str] = Counter()
    for match in matches:
        for name in (match.a, match.b):
            rows[name] += match.profiles.judged
    standings = []
    for i, name in enumerate(names):
        above, below = int((low > high[i]).sum()), int((high < low[i]).sum())
        alone = above + below == len(names) - 1
        standings.append(
            Standing(
                name=name,
                component=component,
                strength=float(strengths[i]),
                low=float(low[i]),
                high=float(high[i]),
                win_rate=1.0 / (1.0 + math.exp(-float(strengths[i]))),
                rank=above + 1 if alone else None,
                best_rank=above + 1,
                worst_rank=len(names) - below,
                rows=rows[name],
            )
        )
    return sorted(standings, key=lambda standing: (-standing.strength, standing.name))


def _fit(names: Sequence[str], matches: Sequence[Match]) -> tuple[Floats, Floats]:
    """Strengths that add up to 0, and their covariance."""
    place = {name: i for i, name in enumerate(names)}
    pairs = [(place[m.a], place[m.b], scores_of_profiles(m.profiles)) for m in matches]
    end = _END * len(names) / max(1, 2 * len(pairs))
    strengths = np.zeros(len(names))
    for _ in range(_MAX_STEPS):
        gradient, curvature, spread = _derivatives(strengths, pairs, end)
        step = np.linalg.solve(curvature + 1.0, gradient)
        longest = float(np.abs(step).max(initial=0.0))
        strengths = strengths + step * min(1.0, _LONGEST_STEP / max(longest, 1e-300))
        if longest < 1e-11:
            break
    inverse = np.linalg.inv(curvature + 1.0)
    centre = np.eye(len(names)) - 1.0 / len(names)
    covariance = centre @ inverse @ spread @ inverse @ centre
    return strengths - strengths.mean(), covariance


def _derivatives(
    strengths: Floats, pairs: Sequence[tuple[int, int, ScoreCounts]], end: float
) -> tuple[Floats, Floats, Floats]:
    """Gradient and curvature of the log-likelihood, and the variance of the rows' gradients."""
    size = len(strengths)
    gradient, curvature, spread = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
    for a, b, scores in pairs:
        if not scores.rows:
            continue
        share = 1.0 / (1.0 + math.exp(strengths[a] - strengths[b]))
        counts = np.array(scores.counts, dtype=np.float64)
        counts[0] += end
        counts[-1] += end
        residuals = np.arange(len(counts)) / scores.steps - share
        towards = np.zeros(size)
        towards[a], towards[b] = -1.0, 1.0
        outer = np.outer(towards, towards)
        gradient += towards * float(counts @ residuals)
        curvature += outer * float(counts.sum()) * share * (1.0 - share)
        spread += outer * float(counts @ residuals**2)
    return gradient, curvature, spread
