"""The rows of a report on disk as a report is drawn from them, people's labels included."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from nova_judge.findings.saved_report import JUDGMENTS, SavedReport
from nova_judge.records import Rejected
from nova_judge.report.report_rows import ReportRows, ScoredAnswers, StoredPairs
from nova_judge.review.labels import LabelFolder, ReviewedRow, label_folder, read_review
from nova_judge.row_files import remove_rows
from nova_judge.scores.scores_parquet import read_scores


def rows_of_report(report: SavedReport, out: Path) -> ReportRows | None:
    """The rows behind a report that is written to `out`, where a copy of them is put.

    None of a failed run. Raises SavedReportError, ReviewError.
    """
    if not report.metrics.completed:
        return None
    if report.metrics.scores is not None:
        return ScoredAnswers(read_scores(report.stored_evidence()))
    _copy(report.stored_judgments(), out / JUDGMENTS)
    return StoredPairs(report.rows(), report.metrics.run_id, reviewed_rows(report.folder))


def _copy(rows: Path, target: Path) -> None:
    if target.resolve() == rows.resolve():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_rows(target)
    if rows.is_dir():
        shutil.copytree(rows, target)
    else:
        shutil.copyfile(rows, target)


def reviewed_rows(report: Path) -> Mapping[int, ReviewedRow]:
    """The rows that people labelled, by line, of a report's folder. Raises ReviewError."""
    review = read_review(LabelFolder(label_folder(report)))
    return review.rows() if review else {}


def rejected_lines(report: Path) -> Iterator[Rejected]:
    """The lines that the run set aside, where its folder still has them."""
    file = report.parent / "rejected.jsonl"
    if file.is_file():
        yield from msgspec.json.Decoder(Rejected).decode_lines(file.read_bytes())
