"""What the judge container itself reported, beside what its rows give, with a note where it is off.

The container counts every pass as one observation and prints a percentile bootstrap; both orders of
one prompt are not two prompts, so its interval and its standard errors are shown, never used.
"""

from typing import Any, Final

import msgspec

from nova_judge.pairs.job_findings import job_findings
from nova_judge.records import JobMetrics, Unscored
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.settings import StatisticsSettings
from nova_judge.statistics.win_rate import percentile_bootstrap, scores_of_profiles

OURS: Final = ("bootstrap", "notes")
"""What stands beside the container's figures and is not the container's."""


def job_figures(
    job: JobMetrics | None, profiles: ProfileCounts, settings: StatisticsSettings
) -> dict[str, Any] | None:
    """The container's figures under their own names, plus `bootstrap` (ours) and `notes`."""
    if job is None:
        return None
    return {
        **job,
        "bootstrap": bootstrap_beside(profiles, settings),
        "notes": [found.note for found in job_findings(job, profiles) if found is not None],
    }


def bootstrap_beside(
    profiles: ProfileCounts, settings: StatisticsSettings
) -> dict[str, Any] | None:
    """The percentile bootstrap over prompts that stands beside the container's own interval."""
    bootstrap = percentile_bootstrap(
        scores_of_profiles(profiles),
        resamples=settings.resamples,
        seed=settings.seed,
        level=settings.level,
    )
    return None if isinstance(bootstrap, Unscored) else msgspec.structs.asdict(bootstrap)
