"""Figures that the judge container reported, beside those its rows give, with notes on differences.

The container counts every pass as one observation and prints a percentile bootstrap; both orders of
one prompt are not two prompts, so its interval and its standard errors are shown, never used.
"""

from typing import Final, TypeAlias

import msgspec

from nova_judge.pairs.job_findings import figure, job_findings
from nova_judge.records import JobMetrics, Unscored
from nova_judge.statistics.outcomes import ProfileCounts
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval, percentile_bootstrap, scores_of_profiles

ReportedNumber: TypeAlias = int | float


class ReportedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """Figure that a container for single answers reported for a subject and metric."""

    subject: str
    metric: str
    value: float
    standard_error: float | None


class JobFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The figures of a job as it reported them, under its own names, and what we put beside them.

    A judge of pairs reports the fields up to `other`, where everything lies that has no field here;
    `bootstrap` (over prompts) and `notes` are ours. A container that scores single answers has
    `reported` alone.
    """

    task: str | None = None
    a_scores: ReportedNumber | None = None
    a_scores_stderr: ReportedNumber | None = None
    b_scores: ReportedNumber | None = None
    b_scores_stderr: ReportedNumber | None = None
    ties: ReportedNumber | None = None
    ties_stderr: ReportedNumber | None = None
    inference_error: ReportedNumber | None = None
    inference_error_stderr: ReportedNumber | None = None
    score: ReportedNumber | None = None
    score_stderr: ReportedNumber | None = None
    weighted_score_A: ReportedNumber | None = None
    weighted_score_A_stderr: ReportedNumber | None = None
    weighted_score_B: ReportedNumber | None = None
    weighted_score_B_stderr: ReportedNumber | None = None
    score_margin: ReportedNumber | None = None
    score_margin_stderr: ReportedNumber | None = None
    winrate: ReportedNumber | None = None
    lower_rate: ReportedNumber | None = None
    upper_rate: ReportedNumber | None = None
    other: JobMetrics = {}
    bootstrap: Interval | None = None
    notes: tuple[str, ...] | None = None
    reported: tuple[ReportedFigure, ...] | None = None

    @property
    def stated(self) -> JobMetrics:
        """The figures of the judge of pairs by name, as its results file has them."""
        named = {name: getattr(self, name) for name in _NAMES}
        return {name: value for name, value in named.items() if value is not None} | self.other


def job_figures(
    job: JobMetrics | None, profiles: ProfileCounts, settings: StatisticsSettings
) -> JobFigures | None:
    """The container's figures under their own names, plus `bootstrap` (ours) and `notes`."""
    if job is None:
        return None
    named = {name: value for name, value in job.items() if name in _NAMES and _fits(job, name)}
    return JobFigures(
        **named,
        other={name: value for name, value in job.items() if name not in named},
        bootstrap=bootstrap_beside(profiles, settings),
        notes=tuple(finding.note for finding in job_findings(job, profiles) if finding is not None),
    )


def bootstrap_beside(profiles: ProfileCounts, settings: StatisticsSettings) -> Interval | None:
    """The percentile bootstrap over prompts that stands beside the container's own interval."""
    bootstrap = percentile_bootstrap(
        scores_of_profiles(profiles),
        resamples=settings.resamples,
        seed=settings.seed,
        level=settings.level,
    )
    return None if isinstance(bootstrap, Unscored) else bootstrap


_OURS: Final = ("other", "bootstrap", "notes", "reported")
_NAMES: Final = tuple(name for name in JobFigures.__struct_fields__ if name not in _OURS)


def _fits(job: JobMetrics, name: str) -> bool:
    return isinstance(job[name], str) if name == "task" else figure(job, name) is not None
