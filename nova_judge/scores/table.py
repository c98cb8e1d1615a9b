"""Scores of single answers, and what follows from them: means with intervals, and differences."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.pairs.judged_evidence import key_of_prompt
from nova_judge.records import Unscored
from nova_judge.scores.metric_score import (
    Better,
    MetricDifference,
    MetricScore,
    Reported,
    ScoreSlice,
    interval_fields,
)
from nova_judge.scores.text_metrics import NO_LATIN
from nova_judge.statistics.arrays import Keys
from nova_judge.statistics.clusters import places_of, repeated
from nova_judge.statistics.metric_means import (
    UNIT,
    PairedScores,
    Scale,
    mean_difference,
    mean_score,
    reported_interval,
    shown_together,
)
from nova_judge.statistics.win_rate import Interval

FEWEST_SLICE_ROWS = 20  # below this a slice is shown as a count only


NOT_FINITE = Unscored("the score is not a finite number")


def finite(value: float) -> float | None:
    """A number that is neither nan nor beyond every float; None for others."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class AnswerScore(NamedTuple):
    """One answer by one metric. `row` tells the row within the run: equal for all subjects.

    Rows of one prompt, or of one `cluster`, belong together; a row that names neither is alone.
    """

    subject: str
    metric: str
    row: int
    result: float | str | Unscored
    id: str = ""
    category: str | None = None
    explanation: str = ""
    prompt: str = ""
    answer: str = ""
    reference: str = ""
    cluster: str | None = None


class MetricFacts(NamedTuple):
    """Facts of a metric known beforehand. `scale` None: it is taken from the scores."""

    better: Better = "higher"
    scale: Scale | None = UNIT


Key = tuple[str, str]
"""Subject and metric."""
RowKey = tuple[int, str | None]
"""A row of the run, and its category."""


class ScoreTable:
    """Collects scores of a run, in whatever order they come, and gives the figures."""

    def __init__(self) -> None:
        self._scores: dict[Key, dict[RowKey, float]] = defaultdict(dict)
        self._prompts: dict[int, int] = {}
        self._words: dict[Key, Counter[str]] = defaultdict(Counter)
        self._unscored: dict[Key, Counter[str]] = defaultdict(Counter)
        self.reported: dict[Key, Reported] = {}
        self.recomputed: dict[Key, float] = {}
        self.facts: dict[str, MetricFacts] = {}

    def add(self, score: AnswerScore) -> None:
        """Count one score."""
        key = (score.subject, score.metric)
        if score.row not in self._prompts and (score.prompt or score.cluster is not None):
            self._prompts[score.row] = key_of_prompt(score.prompt, score.cluster)
        if isinstance(score.result, Unscored):
            self._unscored[key][score.result.reason] += 1
        elif isinstance(score.result, str):
            self._words[key][score.result] += 1
        else:
            self._scores[key][score.row, score.category] = score.result

    def all_keys(self) -> list[Key]:
        """Every subject and metric that something is known of, in order of first sight."""
        held = (self._scores, self._words, self._unscored, self.reported, self.recomputed)
        return list(dict.fromkeys(key for part in held for key in part))

    def mean_of(self, subject: str, metric: str) -> float | None:
        """The mean of the rows' scores, or what was recomputed from all of them; None without."""
        scores = self._scores.get((subject, metric))
        if scores:
            return math.fsum(scores.values()) / len(scores)
        return self.recomputed.get((subject, metric))

    def mean_of_categories(self, subject: str, metric: str) -> float | None:
        """The mean of the categories' means, each counting alike; None without categories."""
        held = _by_category(self._scores.get((subject, metric), {})).values()
        means = [math.fsum(part.values()) / len(part) for part in held]
        return math.fsum(means) / len(means) if means else None

    def reasons(self) -> Counter[tuple[str, str]]:
        """Count the reasons of missing scores, by metric."""
        reasons: Counter[tuple[str, str]] = Counter()
        for (_, metric), counted in self._unscored.items():
            for reason, count in counted.items():
                reasons[metric, reason] += count
        return reasons

    def figures(self, level: float) -> tuple[MetricScore, ...]:
        """One entry per subject and metric, metric by metric: `scores` of metrics.json."""
        keys = self.all_keys()
        metrics = list(dict.fromkeys(metric for _, metric in keys))
        ordered = sorted(keys, key=lambda key: metrics.index(key[1]))
        return tuple(self._figure(key, level) for key in ordered)

    def differences(self, first: str, second: str, level: float) -> tuple[MetricDifference, ...]:
        """Second less first, row by row, for every metric that both have numbers for.

        The intervals are those of each metric by itself, `shown` holds for all of them together.
        """
        paired: dict[str, PairedScores] = {}
        for subject, metric in self.all_keys():
            mine, theirs = self._scores.get((first, metric)), self._scores.get((second, metric))
            if subject != first or not mine or not theirs:
                continue
            both = [row for row in mine if row in theirs]
            paired[metric] = PairedScores(
                [(mine[row], theirs[row]) for row in both],
                self._known_scale(metric, [*mine.values(), *theirs.values()]),
                self._keys(both),
            )
        shown = shown_together(paired, level)
        return tuple(
            MetricDifference(
                metric=metric,
                better=self._better(metric),
                rows=len(each.pairs),
                prompts=prompts_of(each.keys),
                first=first,
                second=second,
                shown=metric in shown,
                **interval_fields(mean_difference(each.pairs, each.scale, level, each.keys)),
            )
            for metric, each in paired.items()
        )

    def _figure(self, key: Key, level: float) -> MetricScore:
        subject, metric = key
        scores = self._scores.get(key, {})
        values = list(scores.values())
        scale = self._known_scale(metric, values)
        shown = scale or Scale(min(values, default=0.0), max(values, default=1.0))
        prompts = self._keys(scores)
        estimate = interval_fields(self._mean(key, values, prompts, scale, level))
        if estimate["estimate"] is None and values:  # a mean stands without an interval
            estimate["estimate"] = self.mean_of(subject, metric)
        return MetricScore(
            metric=metric,
            better=self._better(metric),
            rows=len(values) + self._words[key].total(),
            prompts=prompts_of(prompts),
            subject=subject,
            scale=shown,
            unscored=self._unscored[key].total(),
            recomputed=self.recomputed.get(key),
            words=dict(self._words[key].most_common()) or None,
            reported=self.reported.get(key),
            slices=self._slices(scores, scale, level),
            **estimate,
        )

    def _better(self, metric: str) -> Better:
        return self.facts.get(metric, MetricFacts()).better

    def _mean(
        self, key: Key, values: Sequence[float], prompts: Keys, scale: Scale | None, level: float
    ) -> Interval | Unscored:
        reported = self.reported.get(key)
        unread = NO_LATIN.reason in self._unscored[key]
        if values or unread or key in self.recomputed or reported is None:
            return mean_score(values, scale, level, prompts)
        interval = reported_interval(reported.value, reported.standard_error, level)
        if isinstance(interval, Unscored):
            return interval
        return msgspec.structs.replace(
            interval, method=f"{interval.method}, from the container's standard error"
        )

    def _known_scale(self, metric: str, values: Sequence[float]) -> Scale | None:
        """The metric's scale; None where nobody knows it, or a score lies off it."""
        documented = self.facts.get(metric, MetricFacts()).scale
        if documented is not None and all(
            documented.low <= value <= documented.high for value in values
        ):
            return documented
        return None

    def _keys(self, rows: Iterable[RowKey]) -> Keys:
        """The keys of the rows' prompts; 0 is a row alone."""
        return np.array([self._prompts.get(row, 0) for row, _ in rows], dtype=np.uint64)

    def _slices(
        self, scores: Mapping[RowKey, float], scale: Scale | None, level: float
    ) -> tuple[ScoreSlice, ...]:
        too_few = Unscored(f"fewer than {FEWEST_SLICE_ROWS} rows")
        return tuple(
            ScoreSlice(
                name=name,
                rows=len(held),
                mean=math.fsum(held.values()) / len(held),
                **interval_fields(
                    mean_score(list(held.values()), scale, level, self._keys(held))
                    if len(held) >= FEWEST_SLICE_ROWS
                    else too_few
                ),
            )
            for name, held in sorted(_by_category(scores).items())
        )


def prompts_of(keys: Keys | None) -> int | None:
    """The number of prompts where some have several rows; None where none has."""
    return int(places_of(keys).max()) + 1 if keys is not None and repeated(keys) else None


def _by_category(scores: Mapping[RowKey, float]) -> dict[str, dict[RowKey, float]]:
    by_category: dict[str, dict[RowKey, float]] = defaultdict(dict)
    for (row, category), value in scores.items():
        if category is not None:
            by_category[category][row, category] = value
    return by_category
