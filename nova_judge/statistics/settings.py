"""What a user may set about the statistics of a run."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from nova_judge.errors import SavedReportError


class StatisticsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of every estimate of a run.

    level: of every interval, and 1 - level the error rate of every test.
    equivalence_margin: distance in win rate (.03 = 3 points) within which both are equivalent.
    seed, resamples: of the bootstrap that stands beside the container's.
    anytime: the judging may have stopped early, so that only tests and intervals are used which
    hold however often one looked (`sequential.py`).
    blocked_by: what the control rows say against the judge (`controls.py`).
    """

    level: Annotated[float, Meta(gt=0, lt=1)] = 0.95
    equivalence_margin: Annotated[float, Meta(gt=0, lt=1)] | None = None
    seed: Annotated[int, Meta(ge=0)] = 0
    resamples: Annotated[int, Meta(ge=1)] = 10_000
    anytime: bool = False
    blocked_by: tuple[str, ...] = ()


DEFAULTS = StatisticsSettings()


def settings_of(metrics: Mapping[str, Any]) -> StatisticsSettings:
    """The settings that a `metrics.json` was computed with, from its section `statistics`.

    Raises SavedReportError where the section is missing or damaged: guessed settings would give
    other figures than the run's own.
    """
    try:
        return msgspec.convert(metrics.get("statistics"), StatisticsSettings)
    except msgspec.ValidationError as error:
        raise SavedReportError(
            f"{metrics.get('run_id')}: the section `statistics` of metrics.json does not say how "
            f"the figures were computed ({error}). Evaluate again with this version."
        ) from error
