"""The win rates that a report sets beside each other, each under the name of what it counts."""

from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import Rate
from nova_judge.pairs.job_findings import LEVEL
from nova_judge.statistics.win_rate import Interval

__all__ = ["named_rates"]


class NamedRate(NamedTuple):
    """A win rate of B under the name of what it counts."""

    name: str
    rate: Rate


def named_rates(metrics: Metrics) -> list[NamedRate]:
    """Ours first, then its variants, then what the judge job itself reported.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> named_rates(metrics_of_job({"a_scores": 10, "b_scores": 40}))[0].name
    'both orders, ties half'
    """
    return [*our_rates(metrics), *reported_rates(metrics)]


def our_rates(metrics: Metrics) -> list[NamedRate]:
    """The win rate and its variants, as computed from the rows."""
    of = "reweighed" if metrics.reweighed else metrics.basis.value
    candidates = (
        (f"{of}, ties half", metrics.win_rate),
        ("decided pairs only", metrics.win_rate_decisive),
        ("at equal length", metrics.length_controlled),
        ("at equal structure", metrics.format_controlled),
        ("at equal length and structure", metrics.style_controlled),
        ("corrected by labels", metrics.win_rate_corrected),
        ("decided pairs, by outside labels", metrics.win_rate_by_rates),
        ("by the labels alone", metrics.labels.win_rate if metrics.labels else None),
    )
    return [NamedRate(name, rate) for name, rate in candidates if rate]


def reported_rates(metrics: Metrics) -> list[NamedRate]:
    """Rates that the judge job reported, [] without an interval: quoted, never vouched for.

    Such an interval may miss its own estimate.
    """
    job = metrics.job
    if job is None or job.winrate is None or job.lower_rate is None or job.upper_rate is None:
        return []
    rate = Interval(job.winrate, job.lower_rate, job.upper_rate, LEVEL, "of the judge job")
    return [NamedRate("as the judge job reports it", rate)]
