"""Name and value of the figures that the figure, the page, the summary and the terminal print."""

from nova_judge.findings.metrics_record import Metrics, Rows
from nova_judge.findings.sentences import p_value, percent
from nova_judge.pairs.retest import Retest
from nova_judge.statistics.positions import Positions
from nova_judge.statistics.verdict import SHORT_NAMES, VerdictStated

__all__ = ["table_rows"]


def table_rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Name and value of each headline figure; what a run does not have is left out.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> table_rows(metrics_of_job({"a_scores": 10, "b_scores": 40}))[0]
    ('Rows in the file', '50')
    """
    counts = [("Rows in the file", f"{metrics.rows.input:,}"), *_row_counts(metrics.rows)]
    judge = _orders(metrics.positions) + _again(metrics.retest)
    return counts + _rates(metrics) + _test(metrics.verdict) + judge


def _row_counts(rows: Rows) -> list[tuple[str, str]]:
    counts = [
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
    return [
        (name, f"{percent(rate.estimate)}  [{rate.low * 100:.1f}, {rate.high * 100:.1f}]")
        for name, rate in rates
        if rate
    ]


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


def _again(retest: Retest | None) -> list[tuple[str, str]]:
    if retest is None:
        return []
    same = retest.same
    ends = f"[{same.low * 100:.1f}, {same.high * 100:.1f}]"
    return [("Same verdict when asked again", f"{percent(same.estimate)}  {ends}")]


def _orders(positions: Positions | None) -> list[tuple[str, str]]:
    if positions is None:
        return []
    shares = (
        ("First position preferred", positions.first_rate),
        ("Same verdict in both orders", positions.consistency),
    )
    return [(name, percent(share)) for name, share in shares if share is not None]
