"""The files of a report, from the metrics and the judged rows of a run."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from nova_judge.findings.judgments import write_judgments
from nova_judge.findings.metrics_record import Metrics, encode_metrics
from nova_judge.records import JudgedRow, Rejected
from nova_judge.report.figure import plot_judge_results, render
from nova_judge.report.junit import render_junit
from nova_judge.report.markdown import render_markdown
from nova_judge.report.page import render_page
from nova_judge.report.page_rows import RowSample
from nova_judge.report.weights import WeightsEvidence


def render_report(
    metrics: Metrics,
    rows: Iterable[JudgedRow],
    rejected: Iterable[Rejected] = (),
) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the report; equal input gives equal bytes.

    Args:
        metrics: what `compute_metrics` or `failed_metrics` gave.
        rows: the rows that were sent to the judge, read once; none for a failed run.
        rejected: the lines that were left out, for the page's list of errors.

    Raises:
        UnsupportedClaimError: a sentence of the metrics is not carried by its figures.
    """
    sample = RowSample(metrics.run_id)
    weights = WeightsEvidence()
    judgments = _judgments(sample.watch(weights.watch(rows)))
    yield "metrics.json", encode_metrics(metrics)
    yield "judgments.parquet", judgments
    figure = plot_judge_results(metrics)
    yield "figure.png", render(figure, "png")
    yield "figure.svg", render(figure, "svg")
    yield "report.md", render_markdown(metrics).encode()
    yield "junit.xml", render_junit(metrics)
    yield "report.html", render_page(metrics, sample, weights, rejected).encode()


def write_report(
    folder: Path,
    metrics: Metrics,
    rows: Iterable[JudgedRow],
    rejected: Iterable[Rejected] = (),
) -> Path:
    """Write every file of the report into `folder` and return the page's path."""
    return write_files(folder, render_report(metrics, rows, rejected))


def write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """Write the files of a report, by name, into `folder` and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files:
        (folder / name).write_bytes(content)
    return folder / "report.html"


def _judgments(rows: Iterable[JudgedRow]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        path = Path(folder, "judgments.parquet")
        write_judgments(rows, path)
        return path.read_bytes()
