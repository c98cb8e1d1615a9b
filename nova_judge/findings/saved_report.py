"""Reports on disk: found by run folder, report folder or metrics file, and read again."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nova_judge.errors import SavedReportError
from nova_judge.findings.judgments import read_judgments
from nova_judge.findings.metrics_record import Metrics, decode_metrics
from nova_judge.parquet import has_rows
from nova_judge.records import JudgedRow

METRICS = "metrics.json"
JUDGMENTS = "judgments.parquet"
SCORES = "scores.parquet"
_DEEPEST = 5
_LARGEST = 64 * 1024 * 1024  # bytes: metrics of any run are a thousandth of this


class SavedReport(NamedTuple):
    """One report on disk: its folder and what its `metrics.json` says."""

    folder: Path
    metrics: Metrics

    @property
    def judgments(self) -> Path:
        return self.folder / JUDGMENTS

    @property
    def evidence(self) -> Path:
        """The file of rows that the report was drawn from: judgments, or scores of answers."""
        return self.folder / (SCORES if self.metrics.scores else JUDGMENTS)

    def require_two_candidates(self) -> None:
        """Raise SavedReportError for a run of many candidates, with its pairs' folders."""
        if (tournament := self.metrics.tournament) is None:
            return
        pairs = ", ".join(str(self.folder / pair.report) for pair in tournament.pairs)
        raise SavedReportError(
            f"{self.metrics.run_id} compared {len(tournament.candidates)} candidates: its rows are "
            f"those of its pairs; name one of {pairs}"
        )

    def stored_judgments(self) -> Path:
        """`judgments.parquet`, a file or a folder of parts.

        Raises SavedReportError where the run has none that tells anything.
        """
        self.require_two_candidates()
        if self.metrics.scores:
            raise SavedReportError(
                f"{self.metrics.run_id} scored single answers ({self.metrics.kind}): it has "
                f"no judgments of pairs. Its rows are in {self.folder / SCORES}."
            )
        return self.stored_evidence()

    def stored_evidence(self) -> Path:
        """The file of rows; SavedReportError where the run has none, or it is not there."""
        self.require_two_candidates()
        if not self.metrics.completed:
            raise SavedReportError(
                f"{self.metrics.run_id} failed and has no judged rows: its report says "
                "why (`nova-judge report`)."
            )
        if not has_rows(self.evidence):
            raise SavedReportError(
                f"{self.evidence} is missing: copy the whole report folder of the run, "
                f"not only {METRICS}."
            )
        return self.evidence

    def rows(self) -> Iterator[JudgedRow]:
        """The judged rows; SavedReportError as in `stored_judgments`."""
        return read_judgments(self.stored_judgments())


def open_report(run: Path) -> SavedReport:
    """The report at `run`: a metrics file, a report folder, or the folder of a run.

    Raises SavedReportError where there is none, more than one, or one that cannot be read.
    """
    if run.is_file():
        return _read(run)
    for candidate in (run / METRICS, run / "report" / METRICS):
        if candidate.is_file():
            return _read(candidate)
    reports = list(find_metrics(run)) if run.is_dir() else []
    if len(reports) == 1:
        return _read(reports[0])
    if reports:
        names = ", ".join(str(path.parent) for path in reports[:5])
        raise SavedReportError(f"{run} holds {len(reports)} reports; name one of them: {names}")
    raise SavedReportError(
        f"{run} holds no {METRICS}: name a run's folder (out/demo, runs/<run id>), its report "
        f"folder, or a {METRICS} file."
    )


def find_metrics(folder: Path) -> Iterator[Path]:
    """Every metrics file at most five folders down, in the order of its path."""
    for path in sorted(folder.rglob(METRICS)):
        if len(path.relative_to(folder).parts) <= _DEEPEST and path.is_file():
            yield path


def find_reports(folder: Path) -> Iterator[SavedReport]:
    """Every readable report of ours below a folder; other JSON files of that name are left out."""
    for path in find_metrics(folder):
        try:
            yield _read(path)
        except SavedReportError:
            continue


def _read(path: Path) -> SavedReport:
    if path.stat().st_size > _LARGEST:
        raise SavedReportError(f"{path} is larger than 64 MiB: this is not a {METRICS} of ours.")
    return SavedReport(path.parent, decode_metrics(path.read_bytes(), str(path)))
