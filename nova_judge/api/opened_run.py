"""`nj.open`: a run for a script or a notebook, wherever it lies."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import duckdb

from nova_judge.errors import RequestError, WeightingError
from nova_judge.extras import require
from nova_judge.findings.merge_gate import Condition, judge_gate
from nova_judge.findings.metrics_record import Metrics, Reweighing
from nova_judge.findings.reweighed import reweighed_report
from nova_judge.findings.saved_report import SavedReport
from nova_judge.findings.sentences import headline
from nova_judge.parquet import check_expansion, connect_to, files_of
from nova_judge.recipe.trigger import GateDemands
from nova_judge.records import JudgedRow
from nova_judge.report.markdown import render_markdown
from nova_judge.steps.import_job import report_at

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from matplotlib.figure import Figure

FrameForm: TypeAlias = Literal["pandas", "polars", "arrow"]


def open(run: str | Path) -> "OpenedRun":
    """Open a run: its folder, its `metrics.json`, `s3://bucket/runs/<id>/`, or a judge job's
    `output.tar.gz`.

    What lies in S3 is downloaded to a folder that is deleted when the program ends. Raises
    SavedReportError where there is no report, or more than one.

    >>> nj.open("out/rubric").headline.partition(":")[0]
    'B is better'
    """
    return OpenedRun(report_at(str(run)))


class OpenedRun:
    """One run: its figures, its rows and what can be asked of them. Nothing is written."""

    def __init__(self, report: SavedReport) -> None:
        self._report = report

    @property
    def metrics(self) -> Metrics:
        """Everything that `metrics.json` says.

        >>> nj.open("out/rubric").metrics.rows.judged
        54
        """
        return self._report.metrics

    @property
    def folder(self) -> Path:
        """The folder with the report's files.

        >>> (nj.open("out/rubric").folder / "report.html").is_file()
        True
        """
        return self._report.folder

    @property
    def headline(self) -> str:
        """The verdict with its evidence, in one sentence.

        >>> nj.open("out/rubric").headline.split("; ")[-1]
        'win rate of B 68.5 %, 95 % interval 56.5 to 78.7 %.'
        """
        return str(headline(self.metrics))

    def judgments(self) -> Iterator[JudgedRow]:
        """The judged pairs as records, one by one. Raises SavedReportError without any.

        >>> next(nj.open("out/rubric").judgments()).judgment.forward.value
        'B'
        """
        return self._report.rows()

    @overload
    def rows(self, form: Literal["pandas"] = "pandas") -> "pandas.DataFrame": ...
    @overload
    def rows(self, form: Literal["polars"]) -> "polars.DataFrame": ...
    @overload
    def rows(self, form: Literal["arrow"]) -> "pyarrow.Table": ...

    def rows(self, form: FrameForm = "pandas") -> Any:
        """All rows of the run as a table: judged pairs, or the scores of single answers.

        Columns as in `judgments.parquet` or `scores.parquet`. Raises MissingExtraError where the
        library is not installed, SavedReportError where the file of rows is not there,
        RequestError for another form.

        >>> nj.open("out/rubric").rows("arrow").num_rows
        54
        """
        if form not in _MODULES:
            raise RequestError(f"rows({form!r}): the forms are {', '.join(map(repr, _MODULES))}")
        file = self._report.stored_evidence()
        for module in _MODULES[form]:
            require(form, module)
        with connect_to(file) as connection:
            check_expansion(connection, file)
            return _frame(connection.read_parquet(files_of(file)), form)

    def figure(self) -> "Figure":
        """The run's figure, which a notebook shows as the last line of a cell.

        >>> nj.open("out/rubric").figure().axes[1].get_title("left")
        'Win rate of B'
        """
        from nova_judge.report.figure import plot_judge_results  # noqa: PLC0415 (matplotlib)

        return plot_judge_results(self.metrics)

    def reweight(
        self,
        weights: Mapping[str, float] | None = None,
        *,
        drop: Sequence[str] = (),
        only: Sequence[str] = (),
    ) -> "OpenedRun":
        """The run as it is under other weights of the criteria, from the stored scores.

        Criteria that `weights` does not name count nothing; without it the judge's own weights
        stay. Its verdict allows for the weights that could have been tried. Raises WeightingError
        for a name that no row has, and without a rubric.

        >>> nj.open("out/rubric").reweight({"accuracy": 0.7, "conciseness": 0.3})
        <run pairs-...: B is better>
        """
        spelled = [f"{_name(name)}={weight}" for name, weight in (weights or {}).items()]
        asked = Reweighing(
            weights=",".join(spelled),
            drop=",".join(map(_name, drop)),
            only=",".join(map(_name, only)),
        )
        chosen = asked if asked != Reweighing() else None
        return OpenedRun(reweighed_report(self._report, chosen))

    def gate(
        self,
        min_win_rate: float = 0.5,
        *,
        max_errors: float = 0.05,
        criteria: Mapping[str, float] | None = None,
        confidence: float | None = None,
    ) -> Condition:
        """May B replace A? The outcome and its reason, by the rules of `GateDemands`.

        >>> nj.open("out/rubric").gate(min_win_rate=0.6).outcome.name
        'INCONCLUSIVE'
        """
        rules = GateDemands(min_win_rate, max_errors, dict(criteria or {}), confidence)
        return judge_gate(self.metrics, rules)

    def __repr__(self) -> str:
        return f"<run {self.metrics.run_id}: {headline(self.metrics).words}>"

    def _repr_markdown_(self) -> str:
        return render_markdown(self.metrics)


_MODULES: dict[FrameForm, tuple[str, ...]] = {
    "pandas": ("pandas",),
    "polars": ("polars", "pyarrow"),
    "arrow": ("pyarrow",),
}


def _name(criterion: str) -> str:
    """A criterion as a command spells it, with commas between."""
    if "," in criterion or "=" in criterion:
        raise WeightingError(f"{criterion!r}: name a criterion without `,` and `=`")
    return criterion


def _frame(result: duckdb.DuckDBPyRelation, form: FrameForm) -> Any:  # noqa: ANN401
    if form == "pandas":
        return result.df()
    table = result.to_arrow_table()
    if form == "arrow":
        return table
    import polars  # noqa: PLC0415 (an extra)

    return polars.from_arrow(table)
