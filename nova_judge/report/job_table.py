"""The figures that the judge job reported, beside the same figures from its rows."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_judge.findings.sentences import mean

Metrics = Mapping[str, Any]
_COUNTS = {"a_scores": "a", "b_scores": "b", "ties": "ties", "inference_error": "errors"}
_RATES = {"winrate": "estimate", "lower_rate": "low", "upper_rate": "high"}
_OURS = {"bootstrap", "notes"}


class JobFigure(NamedTuple):
    """One figure under the job's own name; `ours` is empty where we compute no such figure."""

    name: str
    theirs: str
    ours: str


def job_table(metrics: Metrics) -> list[JobFigure]:
    """Every number that the job reported, in its order."""
    job = metrics.get("job") or {}
    return [
        JobFigure(name, _number(value), _recomputed(name, metrics))
        for name, value in job.items()
        if name not in _OURS and isinstance(value, int | float)
    ]


def _recomputed(name: str, metrics: Metrics) -> str:
    if name in _COUNTS:
        key = _COUNTS[name]
        return _number(metrics["forward"][key] + metrics["backward"][key])
    if name in _RATES and metrics.get("win_rate"):
        return _number(metrics["win_rate"][_RATES[name]])
    rubric = metrics.get("rubric") or {}
    ours = mean(rubric.get(name))
    return _number(ours) if ours is not None else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
