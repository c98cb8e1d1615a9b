"""Name and value of the figures that the figure, the page, the summary and the terminal print.

Win rates stand beside each other there, each under the name of what it counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics, Rows
from nova_judge.findings.sentences import Rate, p_value, percent, short_interval
from nova_judge.pairs.job_findings import LEVEL
from nova_judge.statistics.verdict import SHORT_NAMES, VerdictStated
from nova_judge.statistics.win_rate import Interval

__all__ = ["named_rates", "table_rows"]


def table_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and value of each headline figure; what a run does not have is left out.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> table_rows(metrics_of_job({"a_scores": 10, "b_scores": 40}))[0]
    ('Rows in the file', '50')
    """
    counts, rates = _counts(metrics.rows), _rates(metrics)
    return [*counts, *rates, *_test(metrics.verdict), *_judging(metrics)]


def _counts(rows: Rows) -> list[tuple[str, str]]:
    counts = [
        ("Rows in the file", rows.input),
        ("Judged", rows.judged),
        ("Rejected", rows.rejected),
        ("Without an answer", rows.generation_failed),
        ("Without a verdict", rows.judge_failed),
        ("Left over, judging stopped", rows.not_judged or None),
    ]
    return [(name, f"{number:,}") for name, number in counts if number is not None]


def _rates(metrics: Metrics) -> list[tuple[str, str]]:
    rates = (
        ("Win rate of B", metrics.win_rate),
        ("  decided pairs only", metrics.win_rate_decisive),
    )
    return [(name, short_interval(rate, gap="  ")) for name, rate in rates if rate]


def _test(verdict: VerdictStated | None) -> list[tuple[str, str]]:
    if verdict is None:
        return []
    test = SHORT_NAMES.get(verdict.test, verdict.test)
    rows = [
        ("Verdict", str(verdict.word)),
        (f"{test[:1].upper()}{test[1:]}", p_value(verdict.p_value)),
    ]
    if verdict.pairs_needed:
        rows.append(("Rows that would decide", _needed(verdict, verdict.pairs_needed)))
    return rows


def _needed(verdict: VerdictStated, rows: int) -> str:
    if verdict.pairs_needed_low is None:
        return f"{rows:,}"
    high = verdict.pairs_needed_high
    return f"{rows:,}  [{verdict.pairs_needed_low:,}, {'∞' if high is None else f'{high:,}'}]"


def _judging(metrics: Metrics) -> Iterator[tuple[str, str]]:
    if of_order := metrics.positions:
        shares = (
            ("First position preferred", of_order.first_rate),
            ("Same verdict in both orders", of_order.consistency),
        )
        yield from ((name, percent(share)) for name, share in shares if share is not None)
    if metrics.retest:
        yield "Same verdict when asked again", short_interval(metrics.retest.same, gap="  ")


class JobFigure(NamedTuple):
    """One figure under the job's own name; `ours` is empty where we compute no such figure."""

    name: str
    theirs: str
    ours: str


def job_table(metrics: Metrics) -> list[JobFigure]:
    """Every number that the judge job reported, in its order."""
    ours = _recomputed(metrics)
    return [
        JobFigure(name, _number(value), _number(ours[name]) if name in ours else "")
        for name, value in (metrics.job.stated if metrics.job else {}).items()
        if isinstance(value, int | float)
    ]


def _recomputed(metrics: Metrics) -> dict[str, float]:
    """Our figures under the job's names."""
    figures: dict[str, float] = {}
    forward, backward = metrics.forward, metrics.backward
    if forward is not None and backward is not None:
        figures |= {
            "a_scores": forward.a + backward.a,
            "b_scores": forward.b + backward.b,
            "ties": forward.ties + backward.ties,
            "inference_error": forward.errors + backward.errors,
        }
    if rate := metrics.win_rate:
        figures |= {"winrate": rate.estimate, "lower_rate": rate.low, "upper_rate": rate.high}
    if rubric := metrics.rubric:
        means = {
            "weighted_score_A": rubric.weighted_score_A,
            "weighted_score_B": rubric.weighted_score_B,
            "score_margin": rubric.score_margin,
        }
        figures |= {name: score.mean for name, score in means.items() if score}
    return figures


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


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
