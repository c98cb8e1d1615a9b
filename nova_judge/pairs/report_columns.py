"""`judgments.parquet` straight to columns: the rubrics of a run without its texts."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.judged_evidence import key_of_prompt
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import RubricPacker
from nova_judge.parquet import columns_in, connect_to, files_of, rows_of
from nova_judge.records import CriterionScores, Verdict
from nova_judge.statistics.arrays import Keys
from nova_judge.statistics.outcomes import Outcome, outcome_of

_OUTCOMES = {None: Outcome.ERROR} | {verdict.value: outcome_of(verdict) for verdict in Verdict}


class ReportColumns(NamedTuple):
    """The columns of a run, and of each row its category and the key of its prompt."""

    columns: RubricColumns
    categories: list[str | None]
    prompts: Keys | None = None


def columns_of_report(judgments: Path, groups: CriterionGroups) -> ReportColumns:
    """The rubrics of a `judgments.parquet`, in its order."""
    packer = RubricPacker()
    decoder = msgspec.json.Decoder(tuple[CriterionScores, ...])
    categories: list[str | None] = []
    prompts: list[int] = []
    with connect_to(judgments) as connection:
        # An earlier version's file has no clusters.
        cluster = "cluster" if "cluster" in columns_in(connection, judgments) else "NULL"
        result = connection.execute(
            f"SELECT forward, backward, category, criteria, prompt, {cluster} "  # noqa: S608 (ours)
            "FROM read_parquet(?)",
            [files_of(judgments)],
        )
        for forward, backward, category, criteria, prompt, named in rows_of(result):
            scores = decoder.decode(criteria) if criteria else ()
            packed = [packer.packed(one) for one in scores]
            packer.add_packed(packed, _OUTCOMES[forward], _OUTCOMES[backward])
            categories.append(category)
            prompts.append(key_of_prompt(prompt, named))
    columns = columns_from(packer.take(), groups)
    return ReportColumns(columns, categories, np.array(prompts, dtype=np.uint64))
