"""Several judges on the same pairs: how often they agree, beyond chance, and where they differ."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from nova_judge.errors import NotComparableError
from nova_judge.findings.saved_report import SCORES, SavedReport
from nova_judge.recipe.shape import did_you_mean
from nova_judge.records import CANDIDATES, JudgedRow
from nova_judge.scores.scores_parquet import read_scores
from nova_judge.scores.table import AnswerScore
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


class JudgedPair(NamedTuple):
    """A pair as a run has it, with its verdict and category where it has them."""

    pair: Pair
    verdict: Outcome | None
    category: str | None = None


class JudgeVerdicts(NamedTuple):
    """One judge's pairs in their order; one without a verdict keeps its place among equal ones."""

    name: str
    pairs: Sequence[JudgedPair]


class _Verdict(NamedTuple):
    verdict: Outcome
    category: str | None


_Given: TypeAlias = dict[Pair, _Verdict]


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
    names = tuple(_named_apart(judge.name for judge in judges))
    given, by_ids = _matched(judges)
    pairs = [
        _compared((names[one], names[other]), given[one], given[other], level)
        for one, other in combinations(range(len(judges)), 2)
    ]
    every = [pair for pair in given[0] if all(pair in verdicts for verdicts in given)]
    differing = [
        DifferingPair(pair, tuple(VERDICTS[verdicts[pair].verdict] for verdicts in given))
        for pair in every
        if len({verdicts[pair].verdict for verdicts in given}) > 1
    ]
    repeated = max(len(verdicts) - len({pair[:3] for pair in verdicts}) for verdicts in given)
    return CrossCheck(names, len(every), tuple(pairs), tuple(differing), repeated, by_ids)


def _named_apart(names: Iterable[str]) -> Iterator[str]:
    """Judges of one name, distinguished by their order."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def _matched(judges: Sequence[JudgeVerdicts]) -> tuple[list[_Given], bool]:
    """The verdicts by pairs that can be looked up in each other: with ids if those agree."""
    by_ids = [_given(judge, with_ids=True) for judge in judges]
    in_order = [_given(judge, with_ids=False) for judge in judges]
    agree = all(
        len(by_ids[one].keys() & by_ids[other].keys())
        == len(in_order[one].keys() & in_order[other].keys())
        for one, other in combinations(range(len(judges)), 2)
    )
    return (by_ids, True) if agree else (in_order, False)


def _given(judge: JudgeVerdicts, *, with_ids: bool) -> _Given:
    seen: Counter[Pair] = Counter()
    given: _Given = {}
    for judged in judge.pairs:
        pair = judged.pair if with_ids else judged.pair._replace(id="")
        if judged.verdict is not None:
            given[pair._replace(place=seen[pair])] = _Verdict(judged.verdict, judged.category)
        seen[pair] += 1
    return given


def _compared(names: tuple[str, str], one: _Given, other: _Given, level: float) -> PairOfJudges:
    common = [pair for pair in one if pair in other]
    if len(common) < FEWEST_COMMON:
        raise NotComparableError(
            f"{names[0]} and {names[1]} have {count_of(len(common), 'judged pair')} in "
            "common: the same prompts with the same two answers are needed. Judge one file with "
            "both recipes"
        )
    table = np.zeros((len(VERDICTS), len(VERDICTS)), dtype=np.int64)
    rows: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    for first, second in ((one[pair], other[pair]) for pair in common):
        table[first.verdict, second.verdict] += 1
        category = first.category or second.category
        if category is not None:
            rows[category] += 1
            agreed[category] += first.verdict == second.verdict
    same = int(np.trace(table))
    return PairOfJudges(
        first=names[0],
        second=names[1],
        rows=len(common),
        agreed=same,
        agreement=same / len(common),
        kappa=cohen_kappa(table, level),
        table=tuple(tuple(int(count) for count in row) for row in table),
        by_category=tuple(
            CategoryAgreement(name, rows[name], agreed[name]) for name in sorted(rows)
        ),
    )


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
    return JudgeVerdicts(name, list(_judged(report.rows())))


def _judged(rows: Iterable[JudgedRow]) -> Iterator[JudgedPair]:
    for judged in rows:
        row, quarters = judged.row, score_quarters(profile_of(judged.judgment))
        pair = Pair(row.prompt, row.response_A or "", row.response_B or "", id=row.id)
        yield JudgedPair(pair, None if quarters is None else _of_sign(quarters - 2), row.category)


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
    pairs = list(_scored(path, chosen, 1 if better == "higher" else -1))
    return JudgeVerdicts(f"{name}, {chosen}", pairs)


def _scored(path: Path, metric: str, sign: int) -> Iterator[JudgedPair]:
    rows: dict[int, dict[str, AnswerScore]] = defaultdict(dict)
    for score in read_scores(path, metric):
        rows[score.row][score.subject] = score
    for _, sides in sorted(rows.items()):
        if set(sides) == set(CANDIDATES):
            a, b = sides["A"], sides["B"]
            verdict = None
            if isinstance(a.result, float) and isinstance(b.result, float):
                verdict = _of_sign((b.result - a.result) * sign)
            yield JudgedPair(Pair(a.prompt, a.answer, b.answer, id=a.id), verdict, a.category)


def _of_sign(difference: float) -> Outcome:
    if difference == 0:
        return Outcome.TIE
    return Outcome.B if difference > 0 else Outcome.A
