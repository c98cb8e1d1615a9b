"""The figures that the judge job reported, beside the same figures from its rows."""

from typing import NamedTuple

from nova_judge.findings.metrics_record import Metrics


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
