"""Scores of single answers, and what follows from them: means with intervals, and differences."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

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
from nova_judge.statistics.metric_means import (
    UNIT,
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
    """One answer by one metric. `row` tells the row within the run: equal for all subjects."""

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


class MetricFacts(NamedTuple):
    """Facts of a metric known beforehand. `scale` None: it is taken from the scores."""

    better: Better = "higher"
    scale: Scale | None = UNIT


Key = tuple[str, str]
"""Subject and metric."""


class ScoreTable:
    """Collects scores of a run, in whatever order they come, and gives the figures."""

    def __init__(self) -> None:
        self._scores: dict[Key, dict[tuple[int, str | None], float]] = defaultdict(dict)
        self._words: dict[Key, Counter[str]] = defaultdict(Counter)
        self._unscored: dict[Key, Counter[str]] = defaultdict(Counter)
        self.reported: dict[Key, Reported] = {}
        self.recomputed: dict[Key, float] = {}
        self.facts: dict[str, MetricFacts] = {}

    def add(self, score: AnswerScore) -> None:
        """Count one score."""
        key = (score.subject, score.metric)
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
        return math.fsum(math.fsum(part) / len(part) for part in held) / len(held) if held else None

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
        pairs: dict[str, tuple[list[tuple[float, float]], Scale | None]] = {}
        for subject, metric in self.all_keys():
            mine, theirs = self._scores.get((first, metric)), self._scores.get((second, metric))
            if subject != first or not mine or not theirs:
                continue
            held = [(mine[row], theirs[row]) for row in mine if row in theirs]
            pairs[metric] = held, self._known_scale(metric, [*mine.values(), *theirs.values()])
        shown = shown_together(pairs, level)
        return tuple(
            MetricDifference(
                metric=metric,
                better=self._better(metric),
                rows=len(held),
                first=first,
                second=second,
                shown=metric in shown,
                **interval_fields(mean_difference(held, scale, level)),
            )
            for metric, (held, scale) in pairs.items()
        )

    def _figure(self, key: Key, level: float) -> MetricScore:
        subject, metric = key
        scores = self._scores.get(key, {})
        values = list(scores.values())
        scale = self._known_scale(metric, values)
        shown = scale or Scale(min(values, default=0.0), max(values, default=1.0))
        estimate = interval_fields(self._mean(key, values, scale, level))
        if estimate["estimate"] is None and values:  # a mean stands without an interval
            estimate["estimate"] = self.mean_of(subject, metric)
        return MetricScore(
            metric=metric,
            better=self._better(metric),
            rows=len(values) + self._words[key].total(),
            subject=subject,
            scale=shown,
            unscored=self._unscored[key].total(),
            recomputed=self.recomputed.get(key),
            words=dict(self._words[key].most_common()) or None,
            reported=self.reported.get(key),
            slices=_slices(scores, scale, level),
            **estimate,
        )

    def _better(self, metric: str) -> Better:
        return self.facts.get(metric, MetricFacts()).better

    def _mean(
        self, key: Key, values: Sequence[float], scale: Scale | None, level: float
    ) -> Interval | Unscored:
        reported = self.reported.get(key)
        unread = NO_LATIN.reason in self._unscored[key]
        if values or unread or key in self.recomputed or reported is None:
            return mean_score(values, scale, level)
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


def _by_category(scores: Mapping[tuple[int, str | None], float]) -> dict[str, list[float]]:
    by_category: dict[str, list[float]] = defaultdict(list)
    for (_, category), value in scores.items():
        if category is not None:
            by_category[category].append(value)
    return by_category


def _slices(
    scores: Mapping[tuple[int, str | None], float], scale: Scale | None, level: float
) -> tuple[ScoreSlice, ...]:
    too_few = Unscored(f"fewer than {FEWEST_SLICE_ROWS} rows")
    return tuple(
        ScoreSlice(
            name=name,
            rows=len(values),
            mean=math.fsum(values) / len(values),
            **interval_fields(
                mean_score(values, scale, level) if len(values) >= FEWEST_SLICE_ROWS else too_few
            ),
        )
        for name, values in sorted(_by_category(scores).items())
    )
