"""Several judges on the same pairs: how often they agree, beyond chance, and where they differ."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.errors import NotComparableError
from nova_judge.findings.saved_report import SCORES, SavedReport
from nova_judge.parquet import check_expansion, connect_to, rows_of
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import CANDIDATES, JudgedRow
from nova_judge.statistics.agreement import cohen_kappa
from nova_judge.statistics.beyond_chance import BeyondChance
from nova_judge.statistics.outcomes import VERDICTS, Outcome, profile_of, score_quarters
from nova_judge.text import count_of

FEWEST_COMMON = 2


class Pair(NamedTuple):
    """The same pair under every judge; `place` counts equal pairs with one id in their order."""

    prompt: str
    response_A: str
    response_B: str
    place: int = 0
    id: str = ""


class JudgeVerdicts(NamedTuple):
    """One judge's verdicts, the category of each pair where one is known, and all pairs in order.

    A pair without a verdict keeps its place among equal ones.
    """

    name: str
    verdicts: Mapping[Pair, Outcome]
    categories: Mapping[Pair, str]
    pairs: tuple[Pair, ...] = ()


class PairOfJudges(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two judges: `agreed` of `rows` common pairs, and the share of them.

    `table`: pairs by the first and second judge's verdict (A, B, tie).
    """

    first: str
    second: str
    rows: int
    agreed: int
    agreement: float
    kappa: BeyondChance | None
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

    `repeated` counts the rows that equal an earlier one: these are matched by their ids (`by_ids`),
    or where the runs' ids differ, in the runs' order.
    """

    judges: tuple[str, ...]
    common: int
    pairs: tuple[PairOfJudges, ...]
    differences: tuple[DifferingPair, ...]
    repeated: int = 0
    by_ids: bool = True


def cross_check(judges: Sequence[JudgeVerdicts], level: float = 0.95) -> CrossCheck:
    """Compare the judges two by two on the pairs that both judged.

    Raises NotComparableError when two of them have fewer than two pairs in common.
    """
    judges, by_ids = _matched(_named_apart(judges))
    compared = [_compared(first, second, level) for first, second in combinations(judges, 2)]
    every = [pair for pair in judges[0].verdicts if all(pair in j.verdicts for j in judges)]
    differing = [
        DifferingPair(pair, tuple(VERDICTS[judge.verdicts[pair]] for judge in judges))
        for pair in every
        if len({judge.verdicts[pair] for judge in judges}) > 1
    ]
    return CrossCheck(
        tuple(judge.name for judge in judges),
        len(every),
        tuple(compared),
        tuple(differing),
        max(_repeated(judge.verdicts) for judge in judges),
        by_ids,
    )


def _named_apart(judges: Sequence[JudgeVerdicts]) -> list[JudgeVerdicts]:
    """Judges of one name, distinguished by their order."""
    seen: Counter[str] = Counter()
    named = []
    for judge in judges:
        seen[judge.name] += 1
        number = seen[judge.name]
        named.append(judge if number == 1 else judge._replace(name=f"{judge.name} ({number})"))
    return named


def _matched(judges: Sequence[JudgeVerdicts]) -> tuple[Sequence[JudgeVerdicts], bool]:
    """The judges with pairs that can be looked up in each other: with ids if those agree."""
    without = [_without_ids(judge) for judge in judges]
    agree = all(
        len(one.verdicts.keys() & other.verdicts.keys())
        == len(bare.verdicts.keys() & other_bare.verdicts.keys())
        for (one, bare), (other, other_bare) in combinations(zip(judges, without, strict=True), 2)
    )
    return (judges, True) if agree else (without, False)


def _without_ids(judge: JudgeVerdicts) -> JudgeVerdicts:
    seen: Counter[Pair] = Counter()
    rows = judge.pairs or judge.verdicts
    bare = {pair: _next(pair._replace(id="", place=0), seen) for pair in rows}
    return judge._replace(
        verdicts={bare[pair]: verdict for pair, verdict in judge.verdicts.items()},
        categories={bare[pair]: category for pair, category in judge.categories.items()},
        pairs=tuple(bare.values()),
    )


def _repeated(pairs: Iterable[Pair]) -> int:
    texts = [pair[:3] for pair in pairs]
    return len(texts) - len(set(texts))


def _compared(first: JudgeVerdicts, second: JudgeVerdicts, level: float) -> PairOfJudges:
    common = [pair for pair in first.verdicts if pair in second.verdicts]
    if len(common) < FEWEST_COMMON:
        raise NotComparableError(
            f"{first.name} and {second.name} have {count_of(len(common), 'judged pair')} in "
            "common: the same prompts with the same two answers are needed. Judge one file with "
            "both recipes"
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
    return _judge(name, _judged(report.rows()))


class _Read(NamedTuple):
    """A pair as a run has it, with its verdict and category where it has them."""

    texts: Pair
    verdict: Outcome | None
    category: str | None


def _judge(name: str, rows: Iterable[_Read]) -> JudgeVerdicts:
    verdicts: dict[Pair, Outcome] = {}
    categories: dict[Pair, str] = {}
    seen: Counter[Pair] = Counter()
    pairs: list[Pair] = []
    for texts, verdict, category in rows:
        pairs.append(pair := _next(texts, seen))
        if verdict is not None:
            verdicts[pair] = verdict
        if category is not None:
            categories[pair] = category
    return JudgeVerdicts(name, verdicts, categories, tuple(pairs))


def _judged(rows: Iterable[JudgedRow]) -> Iterator[_Read]:
    for judged in rows:
        row, quarters = judged.row, score_quarters(profile_of(judged.judgment))
        texts = Pair(row.prompt, row.response_A or "", row.response_B or "", id=row.id)
        yield _Read(texts, None if quarters is None else _of_sign(quarters - 2), row.category)


def _scoring_judge(report: SavedReport, name: str, metric: str | None) -> JudgeVerdicts:
    path = report.folder / SCORES
    scores = [score for score in report.metrics.scores or () if score.subject in CANDIDATES]
    metrics = list(dict.fromkeys(score.metric for score in scores))
    chosen = metric or next(iter(metrics), "")
    if chosen not in metrics or not path.is_file():
        raise NotComparableError(
            f"{report.folder}: metric {chosen!r} of both candidates is needed; it has "
            f"{', '.join(metrics) or 'none'}{did_you_mean(chosen, metrics)}"
        )
    better = next(score.better for score in scores if score.metric == chosen)
    return _judge(f"{name}, {chosen}", _scored(path, chosen, 1 if better == "higher" else -1))


def _scored(path: Path, metric: str, sign: int) -> Iterator[_Read]:
    for sides in _rows_of(path, metric).values():
        if set(sides) == set(CANDIDATES):
            a, b = sides["A"], sides["B"]
            verdict = None
            if a.score is not None and b.score is not None:
                verdict = _of_sign((b.score - a.score) * sign)
            yield _Read(Pair(a.prompt, a.answer, b.answer, id=a.id), verdict, a.category)


class _Scored(NamedTuple):
    score: float | None
    prompt: str
    answer: str
    category: str | None
    id: str


def _rows_of(path: Path, metric: str) -> dict[int, dict[str, _Scored]]:
    rows: dict[int, dict[str, _Scored]] = defaultdict(dict)
    with connect_to(path) as connection:
        check_expansion(connection, path)
        scored = connection.execute(
            "SELECT row, subject, score, prompt, answer, category, id FROM read_parquet($path) "
            "WHERE metric = $metric ORDER BY row",
            {"path": str(path), "metric": metric},
        )
        for row, subject, score, prompt, answer, category, name in rows_of(scored):
            texts = (prompt or "", answer or "")
            rows[row][subject] = _Scored(score, *texts, category, name or "")
    return rows


def _next(pair: Pair, seen: Counter[Pair]) -> Pair:
    seen[pair] += 1
    return pair._replace(place=seen[pair] - 1)


def _of_sign(difference: float) -> Outcome:
    if difference == 0:
        return Outcome.TIE
    return Outcome.B if difference > 0 else Outcome.A
