"""Details Parquet straight to columns, for jobs of a million rows, shared out over processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.pairs import details_packing
from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.details_packing import packed_details
from nova_judge.pairs.judge_output import count_details
from nova_judge.pairs.rubric_columns import RubricColumns, columns_from
from nova_judge.pairs.rubric_packing import PackedRows

_LEAST_ROWS = 20_000  # a process is not worth fewer
_HEAD_START = 7_000  # rows that are read while the other processes start


def read_columns(
    details: Path, groups: CriterionGroups, processes: int | None = None
) -> RubricColumns:
    """The columns of a details Parquet in row order; raises JudgeJobError.

    `processes` defaults to the processors of this machine; small files are read in one.
    """
    edges = _edges(count_details(details), processes or os.cpu_count() or 1)
    with ExitStack() as running:
        others = [running.enter_context(_packing(details, *part)) for part in pairwise(edges)]
        parts = [packed_details(details, 0, edges[0])]
        parts += [_packed_by(other, details) for other in others]
    return columns_from(parts, groups)


def _edges(rows: int, processes: int) -> list[int]:
    """Ends of the parts by process; the first process is this one, and need not start."""
    count = max(1, min(processes, rows // _LEAST_ROWS))
    ahead = min(_HEAD_START, rows)
    return [ahead + (rows - ahead) * part // count for part in range(1, count + 1)]


@contextmanager
def _packing(details: Path, first: int, last: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that packs the rows from `first` to before `last`.

    A fork would not be safe beside numpy's threads, and `multiprocessing` would start by importing
    whatever program called us.
    """
    program = [sys.executable, "-P", "-m", details_packing.__name__]
    arguments = [str(details), str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(program + arguments, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()  # it has said everything, or nobody listens any more


def _packed_by(process: subprocess.Popen[bytes], details: Path) -> PackedRows:
    packed = process.stdout.read() if process.stdout else b""
    try:
        rows = msgspec.msgpack.decode(packed, type=PackedRows | str)
    except msgspec.DecodeError as error:
        raise JudgeJobError(
            f"{details.name}: a process that read it ended early, with code {process.wait()}. "
            "If memory ran out, close other programs and try again."
        ) from error
    if isinstance(rows, str):
        raise JudgeJobError(rows)
    return rows
