"""`plot_nova_judge_results`: the six panels from a run's metrics, or from a job's own figures."""

from collections.abc import Mapping
from typing import Any

import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nova_judge.errors import SavedReportError
from nova_judge.findings.job_metrics import metrics_of_job
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import percent
from nova_judge.report.figure import Panel, draw_panels, plot_judge_results
from nova_judge.report.figure_frame import write_lines
from nova_judge.report.figure_panels import (
    draw_comparison,
    draw_distribution,
    draw_gauge,
    draw_lines,
    draw_rates,
    draw_shares,
)
from nova_judge.report.key_figures import NamedRate, reported_rates

__all__ = ["plot_nova_judge_results"]

_FOOT = (
    "Drawn from a judge job's own figures: each of its judgments counts as a row, although both "
    "orders of one prompt are two of them."
)
_FIGURES = ("weighted_score_A", "weighted_score_B", "score_margin", "score", "winrate")


def plot_nova_judge_results(metrics: Metrics | Mapping[str, Any]) -> Figure:
    """The six panels, which a notebook shows as the last line of a cell.

    Args:
        metrics: `run.metrics`; the content of a `metrics.json` or of a job's `results_*.json`; or
            the figures of a judge job as AWS's notebooks hold them: `a_scores`, `b_scores`, `ties`,
            `inference_error`, `winrate`, `lower_rate`, `upper_rate` and others.

    Raises:
        SavedReportError: it is none of these.

    >>> figure = plot_nova_judge_results({"a_scores": 10, "b_scores": 40, "ties": 4})
    >>> figure.texts[0].get_text().partition(":")[0]
    'B is better'
    """
    if isinstance(metrics, Metrics):
        return plot_judge_results(metrics)
    if not isinstance(metrics, Mapping):
        raise SavedReportError(
            f"{metrics!r}: give run.metrics or a dictionary; a run is opened with nj.open"
        )
    if "schema_version" in metrics:
        try:
            return plot_judge_results(msgspec.convert(dict(metrics), Metrics))
        except msgspec.ValidationError as error:
            raise SavedReportError(f"these are not the metrics of a run: {error}") from error
    figure = draw_panels(metrics_of_job(_figures(metrics)), _PANELS)
    write_lines(figure, [_FOOT], x=0.05)
    return figure


def _figures(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures themselves; of a whole results file, those of its first task."""
    tasks = document.get("results")
    if not isinstance(tasks, Mapping):
        return document
    named = sorted(name for name, task in tasks.items() if isinstance(task, Mapping))
    if not named:
        raise SavedReportError("these results hold no figures of a task")
    task: Mapping[str, Any] = tasks[next((name for name in named if name != "all"), named[0])]
    return task


def _draw_rates(axes: Axes, metrics: Metrics) -> bool:
    ours = (
        ("ties half, our interval", metrics.win_rate),
        ("decided judgments only", metrics.win_rate_decisive),
    )
    rates = [NamedRate(name, rate) for name, rate in ours if rate]
    return draw_rates(axes, [*rates, *reported_rates(metrics)])


def _draw_figures(axes: Axes, metrics: Metrics) -> bool:
    counts, job = metrics.rows, metrics.job
    failed = (counts.judge_failed or 0) / counts.input if counts.input else 0.0
    lines = [
        ("Judgments", f"{counts.input:,}"),
        ("Without a verdict", f"{counts.judge_failed:,} ({percent(failed)})"),
    ]
    stated = job.stated if job else {}
    lines += [(name, f"{stated[name]:.4g}") for name in _FIGURES if name in stated]
    if job and job.lower_rate is not None and job.upper_rate is not None:
        lines.append(("lower_rate, upper_rate", f"{job.lower_rate:.4g}, {job.upper_rate:.4g}"))
    return draw_lines(axes, lines)


_PANELS = (
    Panel("Score distribution", "judgments as the job counted them", draw_distribution),
    Panel("Win rate of B", "0 % = A always wins, 100 % = B always wins", _draw_rates),
    Panel("Preference shares", "of the judgments with a verdict", draw_shares),
    Panel("A against B", "judgments won", draw_comparison),
    Panel("Win-rate gauge", "the arc outside is our interval", draw_gauge),
    Panel("Figures", "under the job's own names", _draw_figures),
)
