"""The files of a report, from the metrics of a run and its rows."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from nova_judge.findings.metrics_record import Metrics, encode_metrics, storable_metrics
from nova_judge.records import Rejected
from nova_judge.report.junit import render_junit
from nova_judge.report.markdown import render_markdown
from nova_judge.report.page import render_page
from nova_judge.report.report_rows import ReportRows

__all__ = ["render_report"]


def render_report(
    metrics: Metrics, evidence: ReportRows | None = None, rejected: Iterable[Rejected] = ()
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the report; equal input gives equal bytes.

    Args:
        metrics: of a run of any kind, completed or failed.
        evidence: the rows that were judged or scored; None of a failed run.
        rejected: the lines that were left out, for the page's list of errors.

    Raises:
        UnsupportedClaimError: a sentence of the metrics is not carried by its figures.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> [name for name, _ in render_report(metrics_of_job({"a_scores": 10, "b_scores": 40}))]
    ['metrics.json', 'figure.png', 'figure.svg', 'report.md', 'junit.xml', 'report.html']
    """
    # matplotlib takes half a second, and commands that draw nothing import this module too.
    from nova_judge.report.figure import plot_judge_results  # noqa: PLC0415
    from nova_judge.report.figure_frame import render  # noqa: PLC0415

    metrics = storable_metrics(metrics)
    yield "metrics.json", encode_metrics(metrics)
    if evidence is not None and (rows := evidence.parquet) is not None:
        yield evidence.file, rows
    figure = plot_judge_results(metrics)
    yield "figure.png", render(figure, "png")
    yield "figure.svg", render(figure, "svg")
    yield "report.md", render_markdown(metrics).encode()
    yield "junit.xml", render_junit(metrics)
    yield "report.html", render_page(metrics, evidence, rejected).encode()


def write_report(
    folder: Path,
    metrics: Metrics,
    evidence: ReportRows | None = None,
    rejected: Iterable[Rejected] = (),
) -> Path:
    """Write every file of the report into `folder` and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in render_report(metrics, evidence, rejected):
        (folder / name).write_bytes(content)
    return folder / "report.html"
