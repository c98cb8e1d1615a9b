"""Settings of a run's statistics."""

from typing import Annotated

import msgspec
from msgspec import Meta


class JudgeRates(msgspec.Struct, frozen=True):
    """Rates of a judge on pairs labelled elsewhere that it decided, by the side that is better.

    In rows, or in what these are worth where prompts repeat.
    """

    right_of_A: float
    labelled_A: float
    right_of_B: float
    labelled_B: float


class StatisticsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of every estimate of a run.

    level: of every interval, and 1 - level the error rate of every test.
    equivalence_margin: distance in win rate (.03 = 3 points) within which both are equivalent.
    seed, resamples: of the bootstrap that stands beside the container's.
    anytime: the judging may have stopped early, so that only tests and intervals are used which
    hold however often one looked (`sequential.py`).
    blocked_by: what the control rows say against the judge (`controls.py`).
    looks: every p-value of the verdict is multiplied by it, where this comparison is one of several
    that may have been tried.
    judge_rates: of the same judge on other pairs, whose labels correct this win rate.
    """

    level: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    equivalence_margin: Annotated[float, Meta(gt=0, lt=1)] | None = None
    seed: Annotated[int, Meta(ge=0)] = 0
    resamples: Annotated[int, Meta(ge=1)] = 10_000
    anytime: bool = False
    blocked_by: tuple[str, ...] = ()
    looks: Annotated[float, Meta(ge=1)] = 1.0
    judge_rates: JudgeRates | None = None

    @property
    def strict_level(self) -> float:
        """The level at which one comparison alone decides as rarely as all looks together."""
        return 1.0 - (1.0 - self.level) / self.looks


DEFAULTS = StatisticsSettings()
