"""The figures of one metric as `metrics.json` holds them."""

from typing import Any, Literal, TypeAlias

import msgspec

from nova_judge.records import Unscored
from nova_judge.statistics.metric_means import Scale
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of

Better: TypeAlias = Literal["higher", "lower"]


class MetricEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate of one metric with its interval; where there is none, None and the `reason`.

    `rows` counts the rows that it rests on, `prompts` their prompts where some have several rows;
    values have the metric's own unit.
    """

    metric: str
    better: Better
    rows: int
    prompts: int | None = None
    estimate: float | None
    low: float | None
    high: float | None
    level: float | None
    method: str | None
    reason: str | None

    @property
    def counted(self) -> str:
        """The rows in words, and their prompts where some have several rows."""
        of_prompts = "" if self.prompts is None else f" of {count_of(self.prompts, 'prompt')}"
        return f"{count_of(self.rows, 'row')}{of_prompts}"

    @property
    def interval(self) -> Interval | None:
        """The estimate with its interval."""
        if self.estimate is None or self.low is None or self.high is None:
            return None
        if self.level is None or self.method is None:
            return None
        return Interval(self.estimate, self.low, self.high, self.level, self.method)


class ScoreSlice(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of one category, with an interval where it has rows enough."""

    name: str
    rows: int
    mean: float
    estimate: float | None
    low: float | None
    high: float | None
    level: float | None
    method: str | None
    reason: str | None


class Reported(msgspec.Struct, frozen=True):
    """Value that a container reported for a metric, with its standard error where it gave one."""

    value: float
    standard_error: float | None = None


class MetricScore(MetricEstimate, frozen=True, kw_only=True):
    """The mean of one subject's answers by one metric.

    `recomputed` is a figure of all rows together that has no interval, `words` counts verdicts that
    are not numbers, `unscored` counts rows without a score.
    """

    subject: str
    scale: Scale
    unscored: int
    recomputed: float | None
    words: dict[str, int] | None
    reported: Reported | None
    slices: tuple[ScoreSlice, ...]


class MetricDifference(MetricEstimate, frozen=True, kw_only=True):
    """Second subject less first, over the rows that both have.

    `shown`: the difference is not zero, with all metrics together at the level.
    """

    first: str
    second: str
    shown: bool

    @property
    def favours(self) -> str | None:
        """The subject that the difference favours; None where no difference is shown."""
        if not self.shown or self.estimate is None:
            return None
        second_better = (self.estimate > 0) == (self.better == "higher")
        return self.second if second_better else self.first


def interval_fields(interval: Interval | Unscored) -> dict[str, Any]:
    """The fields of an estimate from its interval, or from the reason why there is none."""
    if isinstance(interval, Unscored):
        unknown = dict.fromkeys(("estimate", "low", "high", "level", "method"))
        return {**unknown, "reason": interval.reason}
    return {**msgspec.structs.asdict(interval), "reason": None}
