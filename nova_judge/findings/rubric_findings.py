"""The section `rubric` of `metrics.json`: what the judge's rubrics say of a run.

Every score is recomputed from the criteria; what the container reported is only compared.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from nova_judge.findings.rubric_record import (
    BothBadRows,
    CriterionFigures,
    MarginsAgainst,
    MeanInterval,
    RubricFindings,
    TiedRows,
    WeightSums,
)
from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.criterion_weights import coverage, judge_weighting, reweigh
from nova_judge.pairs.firmness import drivers, firmness, leading_driver
from nova_judge.pairs.rubric_columns import FULL_SCORE, RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import RubricPacker
from nova_judge.pairs.score_use import score_counts, score_shape
from nova_judge.pairs.weighted_scores import WEIGHT_UNITS, recomputed_scores
from nova_judge.records import Judgment, Rubric, Unscored
from nova_judge.statistics.arrays import Codes, Floats, Keys
from nova_judge.statistics.clusters import repeated
from nova_judge.statistics.decision import Word, decide, holm
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.metric_means import UNIT, Scale, mean_difference, mean_score
from nova_judge.statistics.observed_scale import mean_difference_p_value
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import ScoreCounts, score_interval

WEIGHT_SUM_TOLERANCE = 0.001
REPORTED_TOLERANCE = 0.0005
"""Half of the third decimal, which is what the container's own figures are shown with."""

CRITERIA_SHOWN = 100
_STEPS = 400


class RubricCounts(msgspec.Struct):
    """Counts of a run's rubrics: rows, and `weight_sums` in millionths by rows."""

    asked: bool = False
    unreadable: int = 0
    differing: int = 0
    weight_sums: dict[int, int] = {}

    def add(self, judgment: Judgment) -> None:
        """The next row."""
        rubric = judgment.rubric
        self.asked = self.asked or rubric is not None
        self.unreadable += isinstance(rubric, Unscored)
        if isinstance(rubric, Rubric):
            self.differing += differs_from_report(judgment)
            total = round(sum(c.weight for c in rubric.criteria) * WEIGHT_UNITS)
            self.weight_sums[total] = self.weight_sums.get(total, 0) + 1

    def extend(self, others: "RubricCounts") -> None:
        """The next rows, counted elsewhere."""
        self.asked = self.asked or others.asked
        self.unreadable += others.unreadable
        self.differing += others.differing
        self.weight_sums = dict(Counter(self.weight_sums) + Counter(others.weight_sums))


class RubricEvidence:
    """Collects the rubrics of a run row by row, so that one pass over the rows is enough."""

    def __init__(self) -> None:
        self.counts = RubricCounts()
        self.packer = RubricPacker()

    def add(self, judgment: Judgment) -> None:
        """The next row."""
        self.packer.add(judgment)
        self.counts.add(judgment)

    def metrics(self, settings: StatisticsSettings, rows: Evidence) -> RubricFindings | None:
        """The section `rubric`, once; None for a judge that writes no rubrics.

        rows: the evidence of the same rows beside their rubrics.
        """
        if not self.counts.asked:
            return None
        columns = columns_from(self.packer.take(), default_groups())
        scored, keys = int(columns.scored.sum()), rows.clusters[columns.scored]
        own = reweigh(columns, judge_weighting(columns))
        of_a, of_b = own.A[columns.scored], own.B[columns.scored]
        bad = (rows.both_bad_forward, rows.both_bad_backward)
        return RubricFindings(
            n=scored,
            unreadable=self.counts.unreadable,
            both_bad=BothBadRows(*(int(each.sum()) for each in (*bad, bad[0] & bad[1]))),
            ties=TiedRows(
                forward=int((columns.forward == Outcome.TIE).sum()),
                backward=int((columns.backward == Outcome.TIE).sum()),
            ),
            weighted_score_A=mean_interval(of_a, settings.level, keys=keys),
            weighted_score_B=mean_interval(of_b, settings.level, keys=keys),
            score_margin=margin_interval(of_a - of_b, settings.level, keys),
            weights_not_one=_weights_off(self.counts.weight_sums),
            reported_differs=self.counts.differing,
            margin_against_verdict=_against_verdict(columns, own.verdicts),
            criteria=_criteria(columns, rows.clusters, settings.level) if scored else (),
            criteria_left_out=max(0, len(columns.groups) - CRITERIA_SHOWN),
            driver=leading_driver(drivers(columns)),
            firmness=firmness(columns, seed=settings.seed),
        )


def differs_from_report(judgment: Judgment) -> bool:
    """True if a score that the container reported is not what its own criteria give.

    The container need not normalise weights that do not sum to 1; both readings are accepted.
    """
    rubric = judgment.rubric
    if not isinstance(rubric, Rubric):
        return False
    reported = (rubric.reported_score_A, rubric.reported_score_B, rubric.reported_margin)
    # Most judges report none, and to compute scores is dear.
    if reported == (None, None, None) or (ours := recomputed_scores(judgment)) is None:
        return False
    total = sum(criterion.weight for criterion in rubric.criteria)
    return any(
        stated is not None
        and abs(stated - value) > REPORTED_TOLERANCE
        and abs(stated - value * total) > REPORTED_TOLERANCE
        for stated, value in zip(reported, ours, strict=True)
    )


def mean_interval(values: Floats, level: float, keys: Keys | None = None) -> MeanInterval | None:
    """Mean of values in [0, 1] with the interval that the win rate has; None without values.

    Where prompts repeat (`keys`), that of clusters. For the interval alone, values are rounded to a
    400th.
    """
    if not len(values):
        return None
    if repeated(keys):
        interval = mean_score(values.tolist(), Scale(0.0, 1.0), level, keys)
    else:
        places = np.rint(values * _STEPS).astype(np.int64)
        counts = np.bincount(places, minlength=_STEPS + 1).tolist()
        interval = score_interval(ScoreCounts(tuple(counts)), level)
    if isinstance(interval, Unscored):
        return None
    mean = math.fsum(values.tolist()) / len(values)
    return MeanInterval(
        mean=mean,
        low=min(interval.low, mean),
        high=max(interval.high, mean),
        level=level,
        method=interval.method,
        n=len(values),
    )


def margin_interval(values: Floats, level: float, keys: Keys | None = None) -> MeanInterval | None:
    """Mean margin A - B, each in [-1, 1], on the scale of the values seen; None below two rows.

    keys: the rows' prompts where these repeat; then None below two prompts.
    """
    interval = mean_difference([(0.0, value) for value in values.tolist()], UNIT, level, keys)
    if isinstance(interval, Unscored):
        return None
    return MeanInterval(
        interval.estimate, interval.low, interval.high, level, interval.method, len(values)
    )


def _criteria(columns: RubricColumns, prompts: Keys, level: float) -> tuple[CriterionFigures, ...]:
    main = columns.main
    effect = {driver.group: driver.contribution for driver in drivers(columns)}
    codes = {group: code for code, group in enumerate(columns.groups)}
    entries = columns.by_group
    given_a, given_b = score_counts(columns)
    of_entry = prompts[np.repeat(np.arange(columns.rows), np.diff(entries.start))]
    order = np.argsort(entries.group, kind="stable")
    edges = np.searchsorted(entries.group[order], np.arange(len(columns.groups) + 1))
    table = []
    for covered in coverage(columns)[:CRITERIA_SHOWN]:
        code = codes[covered.group]
        at = order[edges[code] : edges[code + 1]]
        of_a, of_b = entries.A[at] / FULL_SCORE, entries.B[at] / FULL_SCORE
        margins = of_a - of_b if main[code] else None
        table.append(
            CriterionFigures(
                name=covered.group,
                members=covered.members,
                n=covered.rows,
                share_of_rows=covered.share_of_rows,
                share_of_weight=covered.share_of_weight,
                mean_A=int(entries.A[at].sum()) / (len(at) * FULL_SCORE),
                mean_B=int(entries.B[at].sum()) / (len(at) * FULL_SCORE),
                margin=None if margins is None else margin_interval(margins, level, of_entry[at]),
                p_value=None if margins is None else mean_difference_p_value(margins, of_entry[at]),
                p_holm=None,
                differs=None,
                contribution=effect[covered.group],
                scores_A=tuple(given_a[code].tolist()),
                scores_B=tuple(given_b[code].tolist()),
                shape=score_shape((given_a[code] + given_b[code]).tolist()),
            )
        )
    return tuple(_corrected(table, level))


def _corrected(table: Sequence[CriterionFigures], level: float) -> Iterator[CriterionFigures]:
    """The criteria with Holm's correction over those that are tested."""
    corrected = iter(holm([each.p_value for each in table if each.p_value is not None]))
    for each in table:
        if each.p_value is None:
            yield each
        else:
            p_holm = next(corrected)
            differs = each.margin is not None and (
                decide(p_holm, each.margin.as_interval, level=level, centre=0.0)
                is not Word.INCONCLUSIVE
            )
            yield msgspec.structs.replace(each, p_holm=p_holm, differs=differs)


def _against_verdict(columns: RubricColumns, by_score: Codes) -> MarginsAgainst:
    """Rows whose margin points against the forward verdict; the verdict comes from the label."""
    sides = (Outcome.A, Outcome.B)
    named, decided = columns.scored & np.isin(columns.forward, sides), np.isin(by_score, sides)
    against = named & decided & (by_score != columns.forward)
    return MarginsAgainst(
        rows=int(named.sum()), against=int(against.sum()), level=int((named & ~decided).sum())
    )


def _weights_off(sums: dict[int, int]) -> WeightSums:
    allowed = WEIGHT_SUM_TOLERANCE * WEIGHT_UNITS
    off = {total: rows for total, rows in sums.items() if abs(total - WEIGHT_UNITS) > allowed}
    return WeightSums(
        rows=sum(off.values()),
        least=min(off, default=WEIGHT_UNITS) / WEIGHT_UNITS,
        most=max(off, default=WEIGHT_UNITS) / WEIGHT_UNITS,
    )
