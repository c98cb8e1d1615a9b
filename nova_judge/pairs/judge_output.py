"""Read what a judge job wrote of its rows as our records: one `Judgment` each.

The details Parquet is read batch by batch in row order, so memory does not grow with the rows. One
reader serves the pairwise and the rubric judge: the keys that a row has decide.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nova_judge.errors import JudgeJobError
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.pairs.passes import PassCounts, Passes, from_labels, from_outputs
from nova_judge.pairs.rubric_reading import number, rubric_from
from nova_judge.pairs.safe_literal import RowMetrics
from nova_judge.pairs.yaml_output import parse_rubric
from nova_judge.parquet import checked_rows, connect_to, parquet_error
from nova_judge.records import Judgment, Rubric, Unscored, Verdict
from nova_judge.verdict_labels import NO_LABEL, ends_early, parse_verdict

if TYPE_CHECKING:
    import duckdb

ERROR_KEYS: Final = ("inference_error", "inference_errors", "inference-score")
FAILURE_KEYS: Final = ("forward_error", "backward_error")  # why a pass has no finished output; ours
CUT_RUBRIC: Final = Unscored("the judge's output was cut off, so that its rubric is not whole")


class DetailsRow(NamedTuple):
    """One row of the details: `metrics` is a dict as text, `predictions` a list of texts."""

    metrics: str | RowMetrics | None
    predictions: list[str] | str | None


class _Outputs(NamedTuple):
    forward: str | None
    backward: str | None


def read_judgments(details: Path, notes: Counter[str] | None = None) -> Iterator[Judgment]:
    """One judgment for each row of a details Parquet, in row order, in constant memory.

    `notes` counts the rows that disagree with themselves, by what is wrong. A row that cannot be
    read is a judgment whose verdicts are `Unscored`; a file that cannot is a JudgeJobError.
    """
    reader = MetricsReader()
    for row in read_details(details):
        metrics = reader.read(row.metrics) if isinstance(row.metrics, str) else row.metrics
        judgment, note = judgment_of(metrics, row.predictions)
        if note is not None and notes is not None:
            notes[note] += 1
        yield judgment


def judgment_of(metrics: object, predictions: object = None) -> tuple[Judgment, str | None]:
    """The judgment that one row of the details spells, and a note where it contradicts itself."""
    if not isinstance(metrics, dict):
        reason = metrics if isinstance(metrics, Unscored) else Unscored("the row has no metrics")
        return Judgment(forward=reason, backward=reason), None
    outputs = _outputs(metrics, predictions)
    passes = _passes(metrics, outputs)
    rubric = _rubric(metrics, outputs) if "criteria_breakdown" in metrics else None
    judgment = Judgment(
        forward=passes.forward,
        backward=passes.backward,
        forward_output=outputs.forward,
        backward_output=outputs.backward,
        rubric=rubric,
    )
    return judgment, passes.note


def read_details(details: Path, part: range | None = None) -> Iterator[DetailsRow]:
    """The columns of a details Parquet that we use, in row order; raises JudgeJobError.

    `part`: the numbers of the rows wanted, from 0 on; all where it is None.
    """
    with _reading(details) as connection:
        rows = checked_rows(connection, details, DetailsRow._fields, part)
        yield from map(DetailsRow._make, rows)


def read_shown(details: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Read further columns, row by row; None where the file has no such column.

    Raises JudgeJobError.
    """
    with _reading(details) as connection:
        yield from map(tuple, checked_rows(connection, details, columns))


def rows_in(details: Path) -> int:
    """The number of rows of a details Parquet; raises JudgeJobError."""
    with _reading(details) as connection:
        counted = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(details)])
        (rows,) = counted.fetchone() or (0,)
        return int(rows)


@contextmanager
def _reading(details: Path) -> Iterator["duckdb.DuckDBPyConnection"]:
    with connect_to(details) as connection:
        try:
            yield connection
        except parquet_error() as error:
            raise JudgeJobError(
                f"{details.name}: the details cannot be read as Parquet with a column `metrics` "
                f"({str(error).splitlines()[0]}). The judge job has to run again."
            ) from error


def _rubric(metrics: RowMetrics, outputs: _Outputs) -> Rubric | Unscored:
    """The rubric that the job read, else the one that the forward pass wrote as YAML.

    Without either, the reason is that of the text that was written, where there is one.
    """
    overall = metrics.get("overall_justification")
    rubric = rubric_from(metrics["criteria_breakdown"], overall, metrics)
    if not isinstance(rubric, Unscored):
        return rubric
    failure = _text(metrics.get(FAILURE_KEYS[0]))
    if failure:
        return Unscored(failure)
    if not outputs.forward:
        return rubric
    labelled = isinstance(parse_verdict(outputs.forward), Verdict)
    unfinished = not labelled and ends_early(outputs.forward)
    return CUT_RUBRIC if unfinished else parse_rubric(outputs.forward)


def passes_of(metrics: RowMetrics, predictions: object = None) -> Passes:
    """Read the verdicts of both passes from a row of the details."""
    return _passes(metrics, _outputs(metrics, predictions))


def _outputs(metrics: RowMetrics, predictions: object) -> _Outputs:
    """The raw outputs: from the pairwise judge's metrics, else from the column `predictions`."""
    if "forward_output" in metrics or "backward_output" in metrics:
        return _Outputs(_text(metrics.get("forward_output")), _text(metrics.get("backward_output")))
    if isinstance(predictions, list | tuple) and len(predictions) == 2:
        forward, backward = map(_text, predictions)
        if not any(_labels(metrics)) or any(
            parse_verdict(output) != NO_LABEL for output in (forward, backward)
        ):
            return _Outputs(forward, backward)
    return _Outputs(None, None)


def _passes(metrics: RowMetrics, outputs: _Outputs) -> Passes:
    if outputs.forward or outputs.backward:
        read = from_outputs(outputs.forward, outputs.backward, _counts(metrics))
    else:
        read = from_labels(_labels(metrics), _counts(metrics))
    forward, backward = (_text(metrics.get(key)) for key in FAILURE_KEYS)
    return Passes(
        Unscored(forward) if forward else read.forward,
        Unscored(backward) if backward else read.backward,
        None if forward or backward else read.note,
    )


def _labels(metrics: RowMetrics) -> tuple[str, ...]:
    """The labels that the metrics themselves list; those that are empty are none."""
    labels = metrics.get("predictions")
    listed = (labels,) if isinstance(labels, str) else labels
    if not isinstance(listed, list | tuple):
        return ()
    return tuple(_text(label) or "" for label in listed)


def _counts(metrics: RowMetrics) -> PassCounts | None:
    a, b = _count(metrics.get("a_scores")), _count(metrics.get("b_scores"))
    if a is None or b is None:
        return None
    errors = (_count(metrics.get(key)) for key in ERROR_KEYS)
    error_count = next((count for count in errors if count is not None), None)
    return PassCounts(a, b, _count(metrics.get("ties")), error_count)


def _count(value: object) -> int | None:
    """A whole number; -1 for a number that is none, so that it is reported and not left out."""
    counted = number(value)
    if counted is None:
        return None
    return int(counted) if counted.is_integer() else -1


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
