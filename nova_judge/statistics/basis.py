"""Win rate and decided rows of evidence, whichever kind of judgment it holds."""

import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.evidence import Basis, Evidence
from nova_judge.statistics.settings import StatisticsSettings
from nova_judge.statistics.verdict import (
    Decided,
    decided_by_one_order,
    decided_by_profiles,
    win_rate_interval,
)
from nova_judge.statistics.win_rate import (
    Interval,
    ScoreCounts,
    preference_standard_error,
    preference_win_rate,
    scores_of_preferences,
    scores_of_profiles,
    standard_error,
)


def decided_rows(evidence: Evidence, basis: Basis) -> Decided:
    """The rows that name one candidate throughout."""
    if basis is Basis.BOTH_ORDERS:
        return decided_by_profiles(evidence.profiles)
    return decided_by_one_order(evidence.profiles)


def score_counts(evidence: Evidence, basis: Basis) -> ScoreCounts:
    """The scores of the judged rows, counted."""
    if basis is Basis.PREFERENCE:
        return scores_of_preferences(_preferences(evidence))
    return scores_of_profiles(evidence.profiles)


def rate(evidence: Evidence, settings: StatisticsSettings, basis: Basis) -> Interval | Unscored:
    """The win rate of B with its interval."""
    if basis is Basis.PREFERENCE and not settings.anytime:
        return preference_win_rate(_preferences(evidence), settings.level)
    return win_rate_interval(score_counts(evidence, basis), settings)


def rate_error(evidence: Evidence, basis: Basis) -> float | None:
    """The standard error of the win rate."""
    if basis is Basis.PREFERENCE:
        return preference_standard_error(_preferences(evidence))
    return standard_error(score_counts(evidence, basis))


def _preferences(evidence: Evidence) -> list[float]:
    given = evidence.preferences
    known: list[float] = given[~np.isnan(given)].tolist()
    return known
