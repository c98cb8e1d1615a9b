"""Several checkpoints against one baseline: criterion by criterion, what got better or worse.

Candidate B of every run is a checkpoint, candidate A the same baseline. A prompt of both runs is a
pair, with the mean of its rows in each; the difference on a pair is how much further B is from A in
the later run. Whether a mean difference is more than noise is decided by a paired test and the
interval of the mean together, the test corrected (Holm 1979) over all runs, and criteria over each
other too.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.errors import NotComparableError
from nova_judge.findings.comparability import SAME_JUDGE, UNNAMED, first_difference
from nova_judge.findings.metrics_record import Reweighing
from nova_judge.findings.reweighed import ScoredRow, choose_weights, scored_rows
from nova_judge.findings.saved_report import SavedReport
from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.pairs.weighted_scores import point_scores
from nova_judge.records import CANDIDATES
from nova_judge.statistics.decision import Word, decide, holm
from nova_judge.statistics.evidence import key_of
from nova_judge.statistics.metric_means import Scale, mean_difference
from nova_judge.statistics.observed_scale import mean_difference_p_value
from nova_judge.statistics.outcomes import profile_of, score_quarters
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of

WIN_RATE = "win rate"
WEIGHTED = "weighted score"
_OVERALL = (WIN_RATE, WEIGHTED)
LEAST_PAIRS = 5
_SCALE = Scale(-1.0, 1.0)
_WORDS = {
    Word.B_BETTER: "better",
    Word.A_BETTER: "worse",
    Word.INCONCLUSIVE: "no more than noise",
}


class RunRows(NamedTuple):
    """One run's rows as numbers: for each prompt, B against A overall and by group of criteria.

    Values are B - A in [-1, 1]; the win rate's are 2 x score - 1, so that all have one scale.
    `baseline` holds A's answers to each prompt by their keys, where A has no name of its own.
    `looks` multiplies the p-values of the overall measures, where somebody chose the weights.
    """

    run_id: str
    candidate: str
    rows: dict[int, dict[str, float]]
    baseline: dict[int, frozenset[int]] | None = None
    looks: float = 1.0


class Change(msgspec.Struct, frozen=True):
    """Change of one measure from the first run to another, over the prompts that both have.

    `first` and `other` are means of B - A over these prompts, `change` is their difference with its
    interval; `word` is better, worse, or no more than noise.
    """

    measure: str
    pairs: int
    first: float
    other: float
    change: float
    low: float
    high: float
    up: int
    down: int
    p_value: float
    word: str


class Comparison(msgspec.Struct, frozen=True):
    """One run against the first: the changes of all measures, and the prompts that only one has."""

    run_id: str
    candidate: str
    changes: tuple[Change, ...]
    common: int
    only_first: int
    only_other: int


def rows_of_run(
    report: SavedReport, groups: CriterionGroups, asked: Reweighing | None = None
) -> RunRows:
    """The prompts of a run as numbers: the means of all its rows on each, if it was judged.

    Under the weights asked for, else the run's own. Raises as `choose_weights` does.
    """
    chosen = choose_weights(report, asked or report.metrics.reweighed, groups)
    if chosen is not None:
        _require_open(report.metrics.run_id, chosen.settings.blocked_by)
    samples: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    answers: dict[int, set[int]] = defaultdict(set)
    for scored in scored_rows(report, chosen):
        row = scored.judged.row
        answers[cluster_of(row)].add(key_of(row.response_A or ""))
        for measure, value in _values(scored, groups, reweighed=chosen is not None).items():
            samples[cluster_of(row)][measure].append(value)
    rows = {
        prompt: {measure: math.fsum(held) / len(held) for measure, held in measures.items()}
        for prompt, measures in samples.items()
    }
    unnamed = report.metrics.name("A") in UNNAMED
    baseline = {prompt: frozenset(held) for prompt, held in answers.items()} if unnamed else None
    looks = chosen.settings.looks if chosen else 1.0
    return RunRows(report.metrics.run_id, report.metrics.name("B") or "none", rows, baseline, looks)


def require_same_judge(reports: Iterable[SavedReport]) -> None:
    """Raises NotComparableError where judge, kind or baseline differ, or a verdict is blocked."""
    first, *others = reports = list(reports)
    for report in reports:
        _require_open(report.metrics.run_id, report.metrics.blocked_by)
    for other in others:
        differs = first_difference(first.metrics, other.metrics, SAME_JUDGE)
        if differs is not None:
            raise NotComparableError(
                f"{first.metrics.run_id} and {other.metrics.run_id} differ in {differs.name}: "
                f"{differs.one or 'none'} and {differs.other or 'none'}. Only candidate B may "
                "differ."
            )


def _require_open(run_id: str, blocked: tuple[str, ...]) -> None:
    if blocked:
        raise NotComparableError(
            f"the verdict of run {run_id} is blocked ({'; '.join(blocked)}): "
            "its judge cannot show a change. Leave the run out."
        )


def compare(first: RunRows, others: Sequence[RunRows], level: float = 0.95) -> list[Comparison]:
    """Every other run against the first, by the measures that both have.

    Tests are corrected over all runs (Holm). Raises NotComparableError without common prompts.
    """
    return _with_words([_compared(first, other, level) for other in others], level)


def _compared(first: RunRows, other: RunRows, level: float) -> Comparison:
    """The changes from one run to another, before the correction."""
    common = sorted(first.rows.keys() & other.rows.keys())
    if not common:
        raise NotComparableError(
            f"{first.run_id} and {other.run_id} have no prompt in common, so nothing can be paired."
        )
    _require_one_baseline(first, other, common)
    looks = max(first.looks, other.looks)
    measures: dict[str, list[tuple[float, float]]] = {}
    for key in common:
        before, after = first.rows[key], other.rows[key]
        for measure in before.keys() & after.keys():
            measures.setdefault(measure, []).append((before[measure], after[measure]))
    named = sorted(
        (name for name, pairs in measures.items() if len(pairs) >= LEAST_PAIRS),
        key=lambda name: (name != WIN_RATE, name != WEIGHTED, -len(measures[name]), name),
    )
    return Comparison(
        other.run_id,
        other.candidate,
        tuple(
            _change(name, measures[name], level, looks if name in _OVERALL else 1.0)
            for name in named
        ),
        len(common),
        len(first.rows) - len(common),
        len(other.rows) - len(common),
    )


def _require_one_baseline(first: RunRows, other: RunRows, common: list[int]) -> None:
    """Two files' response_A are one baseline only where their answers agree."""
    if first.baseline is None or other.baseline is None:
        return
    differ = sum(first.baseline[prompt] != other.baseline[prompt] for prompt in common)
    if differ:
        raise NotComparableError(
            f"response_A has other answers in {other.run_id} than in {first.run_id} on {differ:,} "
            f"of {count_of(len(common), 'prompt')}, so it is not one baseline. If it is, name it "
            "in both runs with --name-a"
        )


def _values(scored: ScoredRow, groups: CriterionGroups, *, reweighed: bool) -> dict[str, float]:
    judgment, scores = scored.judged.judgment, scored.scores
    values: dict[str, float] = {}
    if not reweighed and (quarters := score_quarters(profile_of(judgment))) is not None:
        values[WIN_RATE] = quarters / 2 - 1
    if scores is not None:
        values[WEIGHTED] = -scores.margin
        if reweighed:
            values[WIN_RATE] = float((scores.margin < 0) - (scores.margin > 0))
    of_a, of_b = (point_scores(judgment, side, groups) for side in CANDIDATES)
    return values | {group: of_b[group] - of_a[group] for group in of_a}


def _change(measure: str, pairs: list[tuple[float, float]], level: float, looks: float) -> Change:
    before, after = np.array(pairs).T
    moved = after - before
    up, down = int((moved > 0).sum()), int((moved < 0).sum())
    interval = mean_difference(pairs, _SCALE, level)
    assert isinstance(interval, Interval)  # noqa: S101 (there are at least LEAST_PAIRS pairs)
    return Change(
        measure,
        len(pairs),
        float(before.mean()),
        float(after.mean()),
        interval.estimate,
        interval.low,
        interval.high,
        up,
        down,
        min(1.0, looks * mean_difference_p_value(moved)),
        "",
    )


def _with_words(compared: Sequence[Comparison], level: float) -> list[Comparison]:
    """Holm's correction over all runs: of each overall measure by itself, of all criteria at once.

    Of several equal checkpoints one would else be called better or worse by chance.
    """
    families: dict[str, list[tuple[int, Change]]] = defaultdict(list)
    for run, comparison in enumerate(compared):
        for change in comparison.changes:
            families[change.measure if change.measure in _OVERALL else ""].append((run, change))
    worded: dict[tuple[int, str], Change] = {}
    for family in families.values():
        corrected = holm([change.p_value for _, change in family])
        for (run, change), p_value in zip(family, corrected, strict=True):
            worded[run, change.measure] = _worded(change, p_value, level)
    return [
        msgspec.structs.replace(
            comparison, changes=tuple(worded[run, change.measure] for change in comparison.changes)
        )
        for run, comparison in enumerate(compared)
    ]


def _worded(change: Change, p_value: float, level: float) -> Change:
    held = Interval(change.change, change.low, change.high, level, "")
    word = _WORDS[decide(p_value, held, level=level, centre=0.0)]
    return msgspec.structs.replace(change, p_value=p_value, word=word)
