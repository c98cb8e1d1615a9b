"""Details Parquet straight to columns, for jobs of a million rows."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.details_packing import packed_rows
from nova_judge.pairs.judge_output import rows_in
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import RubricPacker

_HEAD_START = 10_000  # rows that one process reads while another starts


def read_columns(details: Path, groups: CriterionGroups) -> RubricColumns:
    """The columns of a details Parquet in row order; raises JudgeJobError.

    A second process reads the last of many rows where there is a second processor.
    """
    rows = rows_in(details)
    later = range(rows - (rows - _HEAD_START) // 2, rows)
    if len(later) < _HEAD_START or (os.cpu_count() or 1) < 2:
        return columns_from(packed_rows(details), groups)
    packer = RubricPacker()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as helper:
        helped = helper.submit(packed_rows, details, later)
        packer.extend(packed_rows(details, range(later.start)))
        packer.extend(helped.result())
    return columns_from(packer.take(), groups)
