"""What the judge container itself reported, beside what its rows give, with a note where it is off.

The container counts every pass as one observation and prints a percentile bootstrap; both orders of
one prompt are not two prompts, so its interval and its standard errors are shown, never used.
"""

import math
from typing import Any

from nova_judge.records import JobMetrics, Unscored
from nova_judge.statistics.outcomes import Outcome, ProfileCounts
from nova_judge.statistics.settings import StatisticsSettings
from nova_judge.statistics.win_rate import (
    Interval,
    percentile_bootstrap,
    scores_of_profiles,
    wilson,
)

_COUNTS = ("a_scores", "b_scores", "ties", "inference_error")
_SAME_RATE = 0.005


def job_figures(
    job: JobMetrics | None, profiles: ProfileCounts, settings: StatisticsSettings
) -> dict[str, Any] | None:
    """The container's figures under their own names, plus `bootstrap` (ours) and `notes`."""
    if job is None:
        return None
    bootstrap = percentile_bootstrap(
        scores_of_profiles(profiles),
        resamples=settings.resamples,
        seed=settings.seed,
        level=settings.level,
    )
    return {
        **job,
        "bootstrap": None if isinstance(bootstrap, Unscored) else bootstrap._asdict(),
        "notes": [
            *_count_notes(job, profiles),
            *_rate_notes(job, profiles),
            *_error_notes(job, profiles),
        ],
    }


def _count_notes(job: JobMetrics, profiles: ProfileCounts) -> list[str]:
    forward, backward = profiles.forward, profiles.backward
    recounted = dict(zip(_COUNTS, map(sum, zip(forward, backward, strict=True)), strict=True))
    return [
        f"{name}: the job reports {reported:g}, its rows hold {recounted[name]} over both orders"
        for name in _COUNTS
        if (reported := _number(job, name)) is not None and reported != recounted[name]
    ]


def _rate_notes(job: JobMetrics, profiles: ProfileCounts) -> list[str]:
    rate, low, high = (_number(job, name) for name in ("winrate", "lower_rate", "upper_rate"))
    wins = profiles.forward.b + profiles.backward.b
    decided = wins + profiles.forward.a + profiles.backward.a
    ours = wilson(wins, decided)
    if rate is None or not isinstance(ours, Interval):
        return []
    notes = []
    if abs(rate - ours.estimate) > _SAME_RATE:
        notes.append(
            f"winrate: the job reports {rate:g}, {wins} of {decided} judgments are "
            f"{ours.estimate:.4f}"
        )
    if low is None or high is None:
        return notes
    if not low <= rate <= high:
        notes.append(
            f"the job's interval {low:g} to {high:g} does not hold its own winrate {rate:g}"
        )
    if high - low < 0.9 * (ours.high - ours.low):
        notes.append(
            f"the job's interval {low:g} to {high:g} is narrower than {decided} judgments allow "
            f"even if they were independent (Wilson 95 %: {ours.low:.3f} to {ours.high:.3f})"
        )
    return notes


def _error_notes(job: JobMetrics, profiles: ProfileCounts) -> list[str]:
    """A standard error that is none of: a share of judgments, a count, a mean count per row."""
    counts = {name: value for name in _COUNTS if (value := _number(job, name)) is not None}
    trials = sum(counts.values())
    notes = []
    for outcome, (name, count) in zip(Outcome, counts.items(), strict=False):
        reported = _number(job, f"{name}_stderr")
        if reported is None or not trials:
            continue
        of_share = math.sqrt(count / trials * (1 - count / trials) / trials)
        known = (of_share, of_share * trials, _row_mean_error(profiles, outcome))
        if not any(_near(reported, value) for value in known):
            notes.append(
                f"{name}_stderr {reported:g} fits no standard error of {count:g} in {trials:g} "
                f"judgments: {known[0]:.3f} as a share, {known[1]:.2f} as a count, "
                f"{known[2]:.3f} as a mean per row"
            )
    return notes


def _row_mean_error(profiles: ProfileCounts, outcome: Outcome) -> float:
    """Standard error of the mean number of orders (0, 1 or 2) that gave a row this outcome."""
    counts = [(profile.count(outcome), rows) for profile, rows in profiles]
    if profiles.rows < 2:
        return 0.0
    mean = sum(number * rows for number, rows in counts) / profiles.rows
    squares = math.fsum(rows * (number - mean) ** 2 for number, rows in counts)
    return math.sqrt(squares / (profiles.rows - 1) / profiles.rows)


def _near(reported: float, expected: float) -> bool:
    return abs(reported - expected) <= max(0.005, 0.1 * expected)


def _number(job: JobMetrics, name: str) -> float | None:
    value = job.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
