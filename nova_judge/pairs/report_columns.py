"""`judgments.parquet` straight to columns: the rubrics of a run without its texts."""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import RubricPacker
from nova_judge.parquet import connect_to, rows_of
from nova_judge.records import Criterion
from nova_judge.statistics.outcomes import Outcome

_OUTCOMES = {
    "A": Outcome.A,
    "B": Outcome.B,
    "tie": Outcome.TIE,
    "both_bad": Outcome.TIE,
    None: Outcome.ERROR,
}


class ReportColumns(NamedTuple):
    """The columns of a run, and the category of each row."""

    columns: RubricColumns
    categories: list[str | None]


class _Scores(msgspec.Struct, frozen=True):
    """Fields of a stored criterion that are needed."""

    name: str
    weight: float
    type: Literal["scale", "binary"]
    score_A: float
    score_B: float


def columns_of_report(judgments: Path, groups: CriterionGroups) -> ReportColumns:
    """The rubrics of a `judgments.parquet`, in its order."""
    packer = RubricPacker()
    decoder = msgspec.json.Decoder(tuple[_Scores, ...])
    categories: list[str | None] = []
    with connect_to(judgments) as connection:
        result = connection.execute(
            "SELECT forward, backward, category, criteria FROM read_parquet(?)", [str(judgments)]
        )
        for forward, backward, category, criteria in rows_of(result):
            scores = decoder.decode(criteria) if criteria else ()
            packed = [packer.packed(_criterion(one)) for one in scores]
            packer.add_packed(packed, _OUTCOMES[forward], _OUTCOMES[backward])
            categories.append(category)
    return ReportColumns(columns_from(packer.take(), groups), categories)


def _criterion(scores: _Scores) -> Criterion:
    return Criterion(
        name=scores.name,
        weight=scores.weight,
        type=scores.type,
        score_A=scores.score_A,
        score_B=scores.score_B,
    )
