"""`judgments.parquet` straight to columns: the rubrics of a run without its texts."""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.judged_evidence import key_of_prompt
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import RubricPacker
from nova_judge.parquet import connect_to, rows_of
from nova_judge.records import Criterion
from nova_judge.row_files import files_of
from nova_judge.statistics.arrays import Keys
from nova_judge.statistics.outcomes import Outcome

_OUTCOMES = {
    "A": Outcome.A,
    "B": Outcome.B,
    "tie": Outcome.TIE,
    "both_bad": Outcome.TIE,
    None: Outcome.ERROR,
}


class ReportColumns(NamedTuple):
    """The columns of a run, and of each row its category and the key of its prompt."""

    columns: RubricColumns
    categories: list[str | None]
    prompts: Keys | None = None


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
    prompts: list[int] = []
    with connect_to(judgments) as connection:
        described = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet(?)", [files_of(judgments)]
        )
        there = {name for name, *_ in described.fetchall()}
        # An earlier version's file has no clusters.
        cluster = "cluster" if "cluster" in there else "NULL"
        result = connection.execute(
            f"SELECT forward, backward, category, criteria, prompt, {cluster} "  # noqa: S608 (ours)
            "FROM read_parquet(?)",
            [files_of(judgments)],
        )
        for forward, backward, category, criteria, prompt, named in rows_of(result):
            scores = decoder.decode(criteria) if criteria else ()
            packed = [packer.packed(_criterion(one)) for one in scores]
            packer.add_packed(packed, _OUTCOMES[forward], _OUTCOMES[backward])
            categories.append(category)
            prompts.append(key_of_prompt(prompt, named))
    columns = columns_from(packer.take(), groups)
    return ReportColumns(columns, categories, np.array(prompts, dtype=np.uint64))


def _criterion(scores: _Scores) -> Criterion:
    return Criterion(
        name=scores.name,
        weight=scores.weight,
        type=scores.type,
        score_A=scores.score_A,
        score_B=scores.score_B,
    )
