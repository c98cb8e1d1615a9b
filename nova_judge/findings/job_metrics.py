"""A judge job's own figures as the metrics of a run: all that a dictionary of them allows.

The container counts judgments, so that both orders of one prompt may be two. Each stands here for a
row, and no winner is named that half as many would not name too.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import msgspec

from nova_judge.errors import SavedReportError
from nova_judge.findings.metrics_record import InputFacts, JudgeFacts, Metrics, RecipeFacts, Rows
from nova_judge.pairs.job_figures import job_figures
from nova_judge.pairs.job_findings import COUNTS
from nova_judge.records import JobMetrics, scored_or_none
from nova_judge.statistics.contest import (
    Contest,
    contest_of_tally,
    decision_of,
    decisive_rate_of,
    win_rate_of,
)
from nova_judge.statistics.evidence import Basis
from nova_judge.statistics.outcomes import ProfileCounts, ReconciledTally
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.verdict import state_verdict

__all__ = ["metrics_of_job"]

BY_JUDGMENT = (
    "counted as prompts that were judged in both orders, which are half as many, the judgments do "
    "not decide: import the job's output, which holds its rows"
)
_MOST_JUDGMENTS = 10_000_000


def metrics_of_job(figures: Mapping[str, Any]) -> Metrics:
    """The metrics of a pair judge's dictionary: `a_scores`, `b_scores`, `ties`, `winrate`, ...

    Raises SavedReportError where it lacks the wins of A or B, or they are not counts.

    >>> metrics = metrics_of_job({"a_scores": 10, "b_scores": 40, "ties": 4})
    >>> metrics.verdict.word.value, round(metrics.win_rate.estimate, 3)
    ('B better', 0.778)
    """
    job = {name: _plain(value) for name, value in figures.items()}
    a, b, ties, errors = (_count(job, name) for name in COUNTS)
    settings = _settings(a, b, ties)
    contest = _contest(a, b, ties, errors)
    return Metrics(
        run_id="",
        status="completed",
        failure=None,
        kind="figures of a judge job",
        created="",
        input=InputFacts("none", None, 0),
        recipe=RecipeFacts("none", ""),
        candidates={},
        judge=JudgeFacts(model="of the job"),
        statistics=settings,
        rows=Rows(
            input=contest.rows,
            rejected=0,
            generation_failed=0,
            judge_failed=errors,
            judged=a + b + ties,
        ),
        reconciled=ReconciledTally(a, b, ties, 0, errors),
        win_rate=scored_or_none(win_rate_of(contest, settings)),
        win_rate_decisive=scored_or_none(decisive_rate_of(contest, settings)),
        verdict=state_verdict(contest, settings),
        job=job_figures(job, ProfileCounts(), settings),
    )


def _contest(a: int, b: int, ties: int, errors: int = 0) -> Contest:
    return contest_of_tally(ReconciledTally(a, b, ties, 0, errors), None, Basis.JUDGMENT)


def _settings(a: int, b: int, ties: int) -> StatisticsSettings:
    """The usual ones; blocked where half of the counts would not decide the same."""
    if decision_of(_contest(a, b, ties)) == decision_of(_contest(a // 2, b // 2, ties // 2)):
        return DEFAULTS
    return msgspec.structs.replace(DEFAULTS, blocked_by=(BY_JUDGMENT,))


def _plain(value: object) -> object:
    """Numbers of numpy and pandas as Python's own."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _count(job: JobMetrics, name: str) -> int:
    value = job.get(name, None if name in COUNTS[:2] else 0)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_JUDGMENTS:
        return value
    raise SavedReportError(
        f"{name} is {value!r}: the figures of a judge of pairs have a number of judgments there, "
        "such as {'a_scores': 16, 'b_scores': 10, 'ties': 0, 'inference_error': 0}"
    )
