"""`judgments.parquet`: one line per row, both verdicts, what was said and what was answered.

duckdb writes and reads it: rows stream through a JSON Lines file, so that memory stays flat.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.parquet import (
    check_expansion,
    columns_in,
    connect_to,
    files_of,
    rows_of,
    write_parquet,
)
from nova_judge.records import (
    Criterion,
    InputRow,
    JudgedAs,
    JudgedRow,
    Judgment,
    Rubric,
    Unscored,
    Verdict,
)
from nova_judge.statistics.outcomes import profile_of, reconcile

if TYPE_CHECKING:
    import duckdb

_PARQUET_TYPES: Final[Mapping[object, str]] = {
    str: "VARCHAR",
    str | None: "VARCHAR",
    int: "BIGINT",
    int | None: "BIGINT",
    float | None: "DOUBLE",
}


class JudgmentColumns(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file.

    Verdicts are A, B, tie, both_bad or null with the reason beside it; lengths count characters;
    `criteria` is a JSON list; margins are A - B, recomputed and reported.
    """

    id: str
    line: int
    category: str | None
    label: str | None
    prompt: str
    response_A: str | None
    response_B: str | None
    reference: str | None
    forward: str | None
    backward: str | None
    reconciled: str | None
    forward_error: str | None
    backward_error: str | None
    forward_output: str | None
    backward_output: str | None
    weighted_score_A: float | None
    weighted_score_B: float | None
    margin: float | None
    overall_justification: str | None
    criteria: str | None
    length_A: int | None
    length_B: int | None
    rubric_error: str | None
    reported_score_A: float | None
    reported_score_B: float | None
    reported_margin: float | None
    cluster: str | None
    system: str | None
    context: str | None


COLUMNS: Final = {
    field.name: _PARQUET_TYPES[field.type] for field in msgspec.structs.fields(JudgmentColumns)
}
"""The columns in their order, with duckdb's types."""
_OF_INPUT = [name for name in InputRow.__struct_fields__ if name in COLUMNS]

_criteria_decoder = msgspec.json.Decoder(tuple[Criterion, ...])


def write_judgments(rows: Iterable[JudgedRow], path: Path) -> int:
    """Write `path` and return the number of rows. Equal rows in equal order give equal bytes."""
    return write_parquet(path, COLUMNS, (msgspec.structs.asdict(_columns(row)) for row in rows))


def read_judgments(path: Path) -> Iterator[JudgedRow]:
    """The rows of a file that `write_judgments` wrote, in its order."""
    with connect_to(path) as connection:
        check_expansion(connection, path)
        asked = asked_columns(connection, path)
        result = connection.execute(
            f"SELECT {asked} FROM read_parquet(?)",  # noqa: S608 (our own names)
            [files_of(path)],
        )
        for values in rows_of(result):
            yield judged_row(values)


def asked_columns(connection: "duckdb.DuckDBPyConnection", path: Path) -> str:
    """The columns for a SELECT; an earlier version's file lacks those that came later."""
    there = columns_in(connection, path)
    return ", ".join(name if name in there else f"NULL AS {name}" for name in COLUMNS)


def _columns(judged: JudgedRow) -> JudgmentColumns:
    row, judgment, rubric = judged.row, judged.judgment, judged.judgment.rubric
    scores = recomputed_scores(judgment)
    scored = rubric if isinstance(rubric, Rubric) else None
    return JudgmentColumns(
        **{name: getattr(row, name) for name in _OF_INPUT},
        forward=_verdict(judgment.forward),
        backward=_verdict(judgment.backward),
        reconciled=reconcile(profile_of(judgment)),
        forward_error=_reason(judgment.forward),
        backward_error=_reason(judgment.backward),
        forward_output=judgment.forward_output,
        backward_output=judgment.backward_output,
        weighted_score_A=scores.A if scores else None,
        weighted_score_B=scores.B if scores else None,
        margin=scores.margin if scores else None,
        overall_justification=scored.overall_justification if scored else None,
        criteria=_criteria(scored) if scored else None,
        length_A=None if row.response_A is None else len(row.response_A),
        length_B=None if row.response_B is None else len(row.response_B),
        rubric_error=rubric.reason if isinstance(rubric, Unscored) else None,
        reported_score_A=scored.reported_score_A if scored else None,
        reported_score_B=scored.reported_score_B if scored else None,
        reported_margin=scored.reported_margin if scored else None,
    )


def _criteria(rubric: Rubric) -> str:
    return json.dumps(msgspec.to_builtins(rubric.criteria), ensure_ascii=False)


def _verdict(judged: JudgedAs) -> str | None:
    return None if isinstance(judged, Unscored) else judged.value


def _reason(judged: JudgedAs) -> str | None:
    return judged.reason if isinstance(judged, Unscored) else None


def judged_row(values: tuple[Any, ...]) -> JudgedRow:
    """The row with these values, in the order of `COLUMNS`."""
    columns = JudgmentColumns(**dict(zip(COLUMNS, values, strict=True)))
    judgment = Judgment(
        forward=_judged_as(columns.forward, columns.forward_error),
        backward=_judged_as(columns.backward, columns.backward_error),
        forward_output=columns.forward_output,
        backward_output=columns.backward_output,
        rubric=_rubric(columns),
    )
    row = msgspec.convert(columns, InputRow, from_attributes=True)
    return JudgedRow(row=row, judgment=judgment)


def _judged_as(verdict: str | None, error: str | None) -> JudgedAs:
    return Unscored(error or "no reason given") if verdict is None else Verdict(verdict)


def _rubric(columns: JudgmentColumns) -> Rubric | Unscored | None:
    if columns.rubric_error is not None:
        return Unscored(columns.rubric_error)
    if columns.criteria is None:
        return None
    return Rubric(
        criteria=_criteria_decoder.decode(columns.criteria),
        overall_justification=columns.overall_justification or "",
        reported_score_A=columns.reported_score_A,
        reported_score_B=columns.reported_score_B,
        reported_margin=columns.reported_margin,
    )
