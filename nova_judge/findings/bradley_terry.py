"""Many runs, one table: Bradley-Terry strengths with intervals, and no rank that is not earned.

Bradley and Terry (1952, Biometrika 39): the log-odds that one candidate beats another are the
difference of their strengths. A row counts with its score; half an observation at either end,
shared out over a candidate's comparisons, keeps strengths finite; and the intervals come from the
sandwich variance over prompts, jointly over all runs, so that ties count for what they are and a
baseline that meets everybody on the same prompts is not surer than these prompts make it. Strengths
are relative to the mean of a component: candidates that no chain of runs connects are not compared.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.records import JudgedRow
from nova_judge.statistics.arrays import Floats, Keys
from nova_judge.statistics.contest import Contest, contest_of_profiles, decision_of
from nova_judge.statistics.decision import Word
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.outcomes import ProfileCounts, profile_of, score_quarters
from nova_judge.statistics.statistics_settings import StatisticsSettings

_END = 0.5
_MAX_STEPS = 200
_LONGEST_STEP = 1.0


class Prompts(NamedTuple):
    """The prompts of a run by their keys, and B's mean score on each, over its rows."""

    keys: Keys
    scores: Floats


class Match(NamedTuple):
    """One run: two candidates by name, and the profile counts of its rows.

    `prompts` where the rows are at hand: runs over one prompt are then no independent runs.
    `contest` where prompts repeat; what it decides, a board of two says too.
    """

    a: str
    b: str
    profiles: ProfileCounts
    prompts: Prompts | None = None
    contest: Contest | None = None


class _Part(NamedTuple):
    """Scores of B with their weights, and the prompts' keys where these are known."""

    a: int
    b: int
    scores: Floats
    weights: Floats
    keys: Keys | None


class Standing(msgspec.Struct, frozen=True):
    """One candidate of the board.

    strength: log-odds against the average candidate of the component; `win_rate` is the same as a
    probability. rank: None where it is not apart from another one; `best_rank` and `worst_rank` are
    then what is allowed. Two candidates are apart where their intervals do not overlap and the
    verdict of a run between them, if there is one, does not gainsay it; of a board of two, the
    verdict alone decides.
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


METHOD = "Bradley-Terry, ties as half, sandwich variance over prompts, jointly over runs"


def leaderboard(matches: Iterable[Match], level: float = 0.95) -> Leaderboard:
    """The standings of all candidates that the runs compare. The order of runs plays no part."""
    turned = [_turned(match) for match in matches if match.a != match.b]
    pairs: dict[tuple[str, str], list[Match]] = defaultdict(list)
    for match in turned:
        pairs[match.a, match.b].append(match)
    connected = _components(turned)
    groups = [names for names in connected if len(names) > 1]
    alone = sorted(name for names in connected if len(names) == 1 for name in names)
    standings: list[Standing] = []
    for number, names in enumerate(groups, start=1):
        inside = {pair: runs for pair, runs in sorted(pairs.items()) if set(pair) <= names}
        standings.extend(_component_standings(sorted(names), inside, number, level))
    return Leaderboard(tuple(standings), len(groups), tuple(alone), level, METHOD)


def prompts_of(rows: Iterable[JudgedRow]) -> Prompts:
    """The prompts of a run's rows that have both verdicts."""
    table = [
        (cluster_of(judged.row), quarters / 4)
        for judged in rows
        if (quarters := score_quarters(profile_of(judged.judgment))) is not None
    ]
    keys = np.array([key for key, _ in table], dtype=np.uint64)
    return _by_prompt(keys, np.array([score for _, score in table], dtype=np.float64))


def _by_prompt(keys: Keys, scores: Floats) -> Prompts:
    """One mean score for each key, in the order of the keys."""
    prompts, place = np.unique(keys, return_inverse=True)
    sums = np.bincount(place, scores, minlength=len(prompts))
    return Prompts(prompts, sums / np.maximum(1, np.bincount(place, minlength=len(prompts))))


def _turned(match: Match) -> Match:
    """The same run with the name that sorts first as A."""
    if match.a < match.b:
        return match
    prompts = match.prompts and Prompts(match.prompts.keys, 1.0 - match.prompts.scores)
    profiles, contest = match.profiles.mirrored(), None
    if match.contest is not None:
        clusters = match.contest.clusters and match.contest.clusters.mirrored()
        contest = contest_of_profiles(profiles)._replace(clusters=clusters)
    return Match(match.b, match.a, profiles, prompts, contest)


def _parts(place: Mapping[str, int], runs: Sequence[Match]) -> Iterator[_Part]:
    """The rows of one pair: a prompt counts once, however many runs judged it."""
    a, b = place[runs[0].a], place[runs[0].b]
    keyed = [match.prompts for match in runs if match.prompts is not None]
    if keyed:
        keys, scores = (np.concatenate(column) for column in zip(*keyed, strict=True))
        merged = _by_prompt(keys, scores)
        yield _Part(a, b, merged.scores, np.ones(len(merged.keys)), merged.keys)
    counted = [match.profiles for match in runs if match.prompts is None]
    if counted:
        rows = np.array(sum(counted, start=ProfileCounts()).quarters, dtype=np.float64)
        yield _Part(a, b, np.arange(5) / 4.0, rows, None)


def _components(matches: Sequence[Match]) -> list[set[str]]:
    """Sets of candidates that chains of judged rows connect, the largest first."""
    groups: list[set[str]] = []
    for match in matches:
        joined = {match.a, match.b} if match.profiles.in_both_orders else {match.a}
        for members in (joined, {match.b}):
            touching = [group for group in groups if group & members]
            groups = [group for group in groups if group not in touching]
            groups.append(members.union(*touching))
    return sorted(groups, key=lambda group: (-len(group), min(group)))


def _component_standings(
    names: list[str],
    pairs: Mapping[tuple[str, str], Sequence[Match]],
    component: int,
    level: float,
) -> list[Standing]:
    place = {name: i for i, name in enumerate(names)}
    parts = [part for runs in pairs.values() for part in _parts(place, runs)]
    strengths, covariance, prompts = _fit(len(names), parts, len(pairs))
    reach = student_quantile(level, max(1, prompts - 1)) * np.sqrt(
        np.maximum(np.diag(covariance), 0.0)
    )
    low, high = strengths - reach, strengths + reach
    rows: Counter[str] = Counter()
    for match in itertools.chain(*pairs.values()):
        for name in (match.a, match.b):
            rows[name] += match.profiles.in_both_orders
    above = low[None, :] > high[:, None]
    for (a, b), runs in pairs.items():
        if len(runs) == 1:
            _follow_verdict(above, place[a], place[b], _decided(runs[0], level), len(names) == 2)
    standings = []
    for i, name in enumerate(names):
        better, worse = int(above[i].sum()), int(above[:, i].sum())
        standings.append(
            Standing(
                name=name,
                component=component,
                strength=float(strengths[i]),
                low=float(low[i]),
                high=float(high[i]),
                win_rate=1.0 / (1.0 + math.exp(-float(strengths[i]))),
                rank=better + 1 if better + worse == len(names) - 1 else None,
                best_rank=better + 1,
                worst_rank=len(names) - worse,
                rows=rows[name],
            )
        )
    return sorted(standings, key=lambda standing: (-standing.strength, standing.name))


def _decided(match: Match, level: float) -> Word:
    contest = match.contest or contest_of_profiles(match.profiles)
    return decision_of(contest, StatisticsSettings(level=level))


def _follow_verdict(above: npt.NDArray[np.bool_], a: int, b: int, word: Word, of_two: bool) -> None:
    """`above[i, j]` says that j is above i: no more than the run between them says."""
    a_above, b_above = word is Word.A_BETTER, word is Word.B_BETTER
    above[b, a] = a_above if of_two else above[b, a] and a_above
    above[a, b] = b_above if of_two else above[a, b] and b_above


def _fit(size: int, parts: Sequence[_Part], pairs: int) -> tuple[Floats, Floats, int]:
    """Strengths that add up to 0, their covariance, and the number of prompts."""
    end = _END * size / max(1, 2 * pairs)
    strengths = np.zeros(size)
    for _ in range(_MAX_STEPS):
        gradient, curvature = _derivatives(strengths, parts, end)
        step = np.linalg.solve(curvature + 1.0, gradient)
        longest = float(np.abs(step).max(initial=0.0))
        strengths = strengths + step * min(1.0, _LONGEST_STEP / max(longest, 1e-300))
        if longest < 1e-11:
            break
    spread, prompts = _spread(strengths, parts, end)
    inverse = np.linalg.inv(curvature + 1.0)
    centre = np.eye(size) - 1.0 / size
    covariance = centre @ inverse @ spread @ inverse @ centre
    return strengths - strengths.mean(), covariance, prompts


def _share(strengths: Floats, part: _Part) -> float:
    return 1.0 / (1.0 + math.exp(strengths[part.a] - strengths[part.b]))


def _towards(size: int, part: _Part) -> Floats:
    towards = np.zeros(size)
    towards[part.a], towards[part.b] = -1.0, 1.0
    return towards


def _derivatives(strengths: Floats, parts: Sequence[_Part], end: float) -> tuple[Floats, Floats]:
    """Gradient and curvature of the log-likelihood; an observation at either end of each part."""
    size = len(strengths)
    gradient, curvature = np.zeros(size), np.zeros((size, size))
    for part in parts:
        share, towards = _share(strengths, part), _towards(size, part)
        total = float(part.weights.sum()) + 2.0 * end
        wins = float(part.weights @ part.scores) + end
        gradient += towards * (wins - total * share)
        curvature += np.outer(towards, towards) * total * share * (1.0 - share)
    return gradient, curvature


def _spread(strengths: Floats, parts: Sequence[_Part], end: float) -> tuple[Floats, int]:
    """The variance of the prompts' gradients, each over all runs; and the number of prompts."""
    size = len(strengths)
    spread = np.zeros((size, size))
    none = np.zeros(0, dtype=np.uint64)
    keys = np.unique(np.concatenate([none, *(p.keys for p in parts if p.keys is not None)]))
    pulls = np.zeros((len(keys), size))
    prompts = len(keys)
    for part in parts:
        share, towards = _share(strengths, part), _towards(size, part)
        outer = np.outer(towards, towards)
        spread += outer * end * (share**2 + (1.0 - share) ** 2)
        residuals = part.scores - share
        if part.keys is None:
            spread += outer * float(part.weights @ residuals**2)
            prompts += int(part.weights.sum())
        else:
            pulls[np.searchsorted(keys, part.keys)] += residuals[:, None] * towards
    spread += pulls.T @ pulls * (len(keys) / max(1, len(keys) - 1))
    return spread, prompts
