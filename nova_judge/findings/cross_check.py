"""Several judges on the same pairs: how often they agree, beyond chance, and where they differ."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.errors import NotComparableError
from nova_judge.findings.saved_report import SCORES, SavedReport
from nova_judge.parquet import connect
from nova_judge.records import CANDIDATES, JudgedRow
from nova_judge.statistics.agreement import Kappa, cohen_kappa
from nova_judge.statistics.outcomes import Outcome, profile_of, score_quarters

VERDICTS = (Outcome.A, Outcome.B, Outcome.TIE)
NAMES = {Outcome.A: "A", Outcome.B: "B", Outcome.TIE: "tie"}
FEWEST_COMMON = 2


class Pair(NamedTuple):
    """The same pair under every judge; `place` counts equal pairs of a run in their order."""

    prompt: str
    response_A: str
    response_B: str
    place: int = 0


class JudgeVerdicts(NamedTuple):
    """One judge's verdicts, and the category of each pair where one is known."""

    name: str
    verdicts: Mapping[Pair, Outcome]
    categories: Mapping[Pair, str]


class PairOfJudges(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two judges: `agreed` of `rows` common pairs, and the share of them.

    `table`: pairs by the first and second judge's verdict (A, B, tie).
    """

    first: str
    second: str
    rows: int
    agreed: int
    agreement: float
    kappa: Kappa | None
    table: tuple[tuple[int, ...], ...]
    by_category: tuple["CategoryAgreement", ...]


class CategoryAgreement(msgspec.Struct, frozen=True):
    """Agreement of two judges within one category."""

    name: str
    rows: int
    agreed: int


class DifferingPair(NamedTuple):
    """A pair on which judges differ, with every judge's verdict by name; None where it has none."""

    pair: Pair
    verdicts: tuple[str | None, ...]


class CrossCheck(NamedTuple):
    """The whole comparison. `common` counts the pairs on which all judges have a verdict.

    `repeated` counts the rows that equal an earlier one: these are matched in the runs' order.
    """

    judges: tuple[str, ...]
    common: int
    pairs: tuple[PairOfJudges, ...]
    differences: tuple[DifferingPair, ...]
    repeated: int = 0


def cross_check(judges: Sequence[JudgeVerdicts], level: float = 0.95) -> CrossCheck:
    """Compare the judges two by two on the pairs that both judged.

    Raises NotComparableError when two of them have fewer than two pairs in common.
    """
    compared = [_compared(first, second, level) for first, second in combinations(judges, 2)]
    every = [pair for pair in judges[0].verdicts if all(pair in j.verdicts for j in judges)]
    differing = [
        DifferingPair(pair, tuple(NAMES[judge.verdicts[pair]] for judge in judges))
        for pair in every
        if len({judge.verdicts[pair] for judge in judges}) > 1
    ]
    return CrossCheck(
        tuple(judge.name for judge in judges),
        len(every),
        tuple(compared),
        tuple(differing),
        max(sum(pair.place > 0 for pair in judge.verdicts) for judge in judges),
    )


def _compared(first: JudgeVerdicts, second: JudgeVerdicts, level: float) -> PairOfJudges:
    common = [pair for pair in first.verdicts if pair in second.verdicts]
    if len(common) < FEWEST_COMMON:
        raise NotComparableError(
            f"{first.name} and {second.name} have {len(common)} judged pairs in common: the same "
            "prompts with the same two answers are needed. JudgeVerdicts one file with both recipes"
        )
    table = np.zeros((len(VERDICTS), len(VERDICTS)), dtype=np.int64)
    for pair in common:
        table[first.verdicts[pair], second.verdicts[pair]] += 1
    agreed = int(np.trace(table))
    return PairOfJudges(
        first=first.name,
        second=second.name,
        rows=len(common),
        agreed=agreed,
        agreement=agreed / len(common),
        kappa=cohen_kappa(table, level),
        table=tuple(tuple(int(count) for count in row) for row in table),
        by_category=_by_category(first, second, common),
    )


def _by_category(
    first: JudgeVerdicts, second: JudgeVerdicts, common: Iterable[Pair]
) -> tuple[CategoryAgreement, ...]:
    rows: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    for pair in common:
        category = first.categories.get(pair) or second.categories.get(pair)
        if category is not None:
            rows[category] += 1
            agreed[category] += first.verdicts[pair] == second.verdicts[pair]
    return tuple(CategoryAgreement(name, rows[name], agreed[name]) for name in sorted(rows))


def judge_of(report: SavedReport, metric: str | None = None) -> JudgeVerdicts:
    """The verdicts of a run: of pairs as they are, of scored answers by which one scored higher.

    `metric` names the metric of a scoring run; by default its first. A pair without any verdict, or
    with one score missing, is left out. Raises NotComparableError.
    """
    metrics = report.metrics
    name = f"{metrics.kind}, {metrics.judge.model}"
    if metrics.judge.stand_in:
        name = f"{name} (a stand-in)"
    if metrics.scores:
        return _scoring_judge(report, name, metric)
    return _judging_judge(report.rows(), name)


def _judging_judge(rows: Iterable[JudgedRow], name: str) -> JudgeVerdicts:
    verdicts: dict[Pair, Outcome] = {}
    categories: dict[Pair, str] = {}
    seen: Counter[Pair] = Counter()
    for judged in rows:
        row = judged.row
        pair = _next(Pair(row.prompt, row.response_A or "", row.response_B or ""), seen)
        quarters = score_quarters(profile_of(judged.judgment))
        if quarters is not None:
            verdicts[pair] = _of_sign(quarters - 2)
        if row.category is not None:
            categories[pair] = row.category
    return JudgeVerdicts(name, verdicts, categories)


def _scoring_judge(report: SavedReport, name: str, metric: str | None) -> JudgeVerdicts:
    path = report.folder / SCORES
    scores = [score for score in report.metrics.scores or () if score.subject in CANDIDATES]
    metrics = list(dict.fromkeys(score.metric for score in scores))
    chosen = metric or next(iter(metrics), "")
    if chosen not in metrics or not path.is_file():
        raise NotComparableError(
            f"{report.folder}: metric {chosen!r} of both candidates is needed; it has "
            f"{', '.join(metrics) or 'none'}"
        )
    better = next(score.better for score in scores if score.metric == chosen)
    verdicts: dict[Pair, Outcome] = {}
    seen: Counter[Pair] = Counter()
    categories: dict[Pair, str] = {}
    for sides in _rows_of(path, chosen).values():
        if set(sides) != {"A", "B"}:
            continue
        a, b = sides["A"], sides["B"]
        pair = _next(Pair(a.prompt, a.answer, b.answer), seen)
        if a.score is None or b.score is None:
            continue
        verdicts[pair] = _of_sign((b.score - a.score) * (1 if better == "higher" else -1))
        if a.category is not None:
            categories[pair] = a.category
    return JudgeVerdicts(f"{name}, {chosen}", verdicts, categories)


class _Scored(NamedTuple):
    score: float | None
    prompt: str
    answer: str
    category: str | None


def _rows_of(path: Path, metric: str) -> dict[int, dict[str, _Scored]]:
    rows: dict[int, dict[str, _Scored]] = defaultdict(dict)
    with connect() as connection:
        scored = connection.execute(
            "SELECT row, subject, score, prompt, answer, category FROM read_parquet($path) "
            "WHERE metric = $metric ORDER BY row",
            {"path": str(path), "metric": metric},
        )
        for row, subject, score, prompt, answer, category in scored.fetchall():
            rows[row][subject] = _Scored(score, prompt or "", answer or "", category)
    return rows


def _next(pair: Pair, seen: Counter[Pair]) -> Pair:
    seen[pair] += 1
    return pair._replace(place=seen[pair] - 1)


def _of_sign(difference: float) -> Outcome:
    if difference == 0:
        return Outcome.TIE
    return Outcome.B if difference > 0 else Outcome.A
