"""The section `rubric` of `metrics.json` as records; scores lie in [0, 1], margins are A - B."""

import msgspec

from nova_judge.pairs.firmness import Driver, Firmness
from nova_judge.pairs.score_use import ScoreShape
from nova_judge.statistics.win_rate import Interval


class MeanInterval(msgspec.Struct, frozen=True):
    """The mean of `n` values with its interval at `level`, and the interval's method by name."""

    mean: float
    low: float
    high: float
    level: float
    method: str
    n: int

    @property
    def as_interval(self) -> Interval:
        """The same as the interval of an estimate."""
        return Interval(self.mean, self.low, self.high, self.level, self.method)


class BothBadRows(msgspec.Struct, frozen=True):
    """Rows in which the judge called both answers bad: in each order, and in both of them."""

    forward: int
    backward: int
    both: int


class TiedRows(msgspec.Struct, frozen=True):
    """Ties of each order, in rows."""

    forward: int
    backward: int


class WeightSums(msgspec.Struct, frozen=True):
    """Rows whose weights do not sum to 1, and the ends between which their sums lie."""

    rows: int
    least: float
    most: float


class MarginsAgainst(msgspec.Struct, frozen=True):
    """Of `rows` whose forward verdict names a candidate: margins against it, and level margins."""

    rows: int
    against: int
    level: int


class CriterionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One group of criteria over the rows that have it; no margin or test in too few rows.

    `p_holm` is the p-value of no difference after Holm's correction over all criteria tested,
    `differs` whether with it the margin is decided, its interval leaving 0 out. `contribution` is
    the group's part of the mean margin. `scores_A` and `scores_B` count the scores 1 to 5 as the
    judge gave them, `shape` is that of both together, None for too few.
    """

    name: str
    members: tuple[str, ...]
    n: int
    share_of_rows: float
    share_of_weight: float
    mean_A: float
    mean_B: float
    margin: MeanInterval | None
    p_value: float | None
    p_holm: float | None
    differs: bool | None
    contribution: float
    scores_A: tuple[int, ...] = ()
    scores_B: tuple[int, ...] = ()
    shape: ScoreShape | None = None


class RubricFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of a run's rubrics, every score recomputed from the criteria."""

    n: int
    unreadable: int
    both_bad: BothBadRows
    ties: TiedRows
    weighted_score_A: MeanInterval | None
    weighted_score_B: MeanInterval | None
    score_margin: MeanInterval | None
    weights_not_one: WeightSums
    reported_differs: int
    margin_against_verdict: MarginsAgainst
    criteria: tuple[CriterionFigures, ...]
    criteria_left_out: int
    driver: Driver | None
    firmness: Firmness | None
