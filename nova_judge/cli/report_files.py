"""Reports that commands write, figures and all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova_judge.findings.saved_report import SavedReport
from nova_judge.report.report_rows import rejected_lines, rows_of_report


@contextmanager
def drawing() -> Iterator[None]:
    """A while in which Matplotlib, which only drawing needs, keeps its cache out of the home."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("MPLCONFIGDIR", scratch)
        yield


def write_files(report: SavedReport, out: Path) -> Path:
    """Write the files of a report into a folder, from its rows, and give the page."""
    with drawing():
        from nova_judge.report.write import write_report  # noqa: PLC0415 (matplotlib)

        rows, rejected = rows_of_report(report, out), rejected_lines(report.folder)
        return write_report(out, report.metrics, rows, rejected)
