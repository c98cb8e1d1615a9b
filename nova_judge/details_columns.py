"""Details Parquet straight to columns, for jobs of a million rows.

The same reading as `judge_output`, without the texts: a criterion that was met before is twelve
bytes looked up, and the rows are shared out over processes. Verdicts and numbers are those of
`judge_output.read_judgments`, row by row.
"""

import functools
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.criteria import CriterionGroups
from nova_judge.judge_output import (
    DetailsRow,
    count_details,
    judgment_of,
    passes_of,
    read_details,
)
from nova_judge.metrics_text import Metrics, MetricsReader, read_safe
from nova_judge.outcomes import Outcome, Profile, outcome_of
from nova_judge.records import Unscored
from nova_judge.rubric_columns import ColumnsBuilder, PackedRows, RubricColumns
from nova_judge.rubric_reading import CRITERIA_LIMIT, criterion_from

_COUNTS = ("a_scores", "b_scores", "ties", "inference_error", "inference_errors")
_FIELDS = (
    *("predictions", "forward_output", "backward_output", "criteria_breakdown", *_COUNTS),
    *("score_A", "score_B", "weight", "type"),
)
_LEAST_ROWS = 20_000  # a process is not worth fewer


class _Entry(NamedTuple):
    """A criterion as the columns hold it; `packed` is None where it cannot be read."""

    packed: bytes | None
    weight: float = 0.0


def read_columns(
    details: Path, groups: CriterionGroups, processes: int | None = None
) -> RubricColumns:
    """The columns of a details Parquet in row order; raises JudgeJobError.

    `processes` defaults to the processors of this machine; small files are read in one.
    """
    rows = count_details(details)
    workers = min(processes or os.cpu_count() or 1, max(1, rows // _LEAST_ROWS))
    builder = ColumnsBuilder()
    if workers == 1:
        _read_into(builder, read_details(details))
        return builder.columns(groups)
    edges = [rows * part // workers for part in range(workers + 1)]
    # A forked child would inherit duckdb's threads in whatever state they are.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for part in pool.map(functools.partial(_read_part, details), edges[:-1], edges[1:]):
            builder.extend(part)
    return builder.columns(groups)


def _read_part(details: Path, first: int, last: int) -> PackedRows:
    builder = ColumnsBuilder()
    _read_into(builder, read_details(details, first, last))
    return builder.packed_rows()


def _read_into(builder: ColumnsBuilder, rows: Iterable[DetailsRow]) -> None:
    reader = MetricsReader(_FIELDS, functools.partial(_entry, builder))
    for row in rows:
        if not isinstance(row.metrics, str):
            builder.add(judgment_of(row.metrics, row.predictions)[0])
            continue
        metrics = reader.read(row.metrics)
        if isinstance(metrics, Unscored):
            builder.add_packed((), Outcome.ERROR, Outcome.ERROR)
            continue
        packed = _packed(metrics.get("criteria_breakdown"))
        if not packed and "criteria_breakdown" in metrics:  # the raw output may hold a rubric
            builder.add(judgment_of(read_safe(row.metrics), row.predictions)[0])
        else:
            builder.add_packed(packed, *_profile(metrics, row.predictions))


def _entry(builder: ColumnsBuilder, name: str, fields: Metrics) -> _Entry:
    criterion = criterion_from(name, fields)
    if isinstance(criterion, Unscored):
        return _Entry(None)
    return _Entry(builder.packed(criterion), criterion.weight)


def _packed(breakdown: object) -> Sequence[bytes]:
    """The entries of a rubric; none where `rubric_from` would call it unscored."""
    entries = list(breakdown.values()) if isinstance(breakdown, dict) else []
    if not 0 < len(entries) <= CRITERIA_LIMIT:
        return ()
    if not all(isinstance(entry, _Entry) and entry.packed for entry in entries):
        return ()
    return [entry.packed for entry in entries] if any(entry.weight for entry in entries) else ()


def _profile(metrics: Metrics, predictions: object) -> Profile:
    labels = metrics.get("predictions")
    raw = isinstance(predictions, list) and len(predictions) > 1
    if raw or not isinstance(labels, list) or "forward_output" in metrics:
        passes = passes_of(metrics, predictions)
        return Profile(outcome_of(passes.forward), outcome_of(passes.backward))
    return _profile_of_labels(tuple(labels), *map(metrics.get, _COUNTS))


@functools.lru_cache(maxsize=4096, typed=True)
def _profile_of_labels(labels: tuple[str, ...], *counts: Any) -> Profile:  # noqa: ANN401
    said = {name: count for name, count in zip(_COUNTS, counts, strict=True) if count is not None}
    passes = passes_of({"predictions": list(labels), **said})
    return Profile(outcome_of(passes.forward), outcome_of(passes.backward))
