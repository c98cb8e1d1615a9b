"""Details Parquet packed row by row, by as many processes as read the file.

The same reading as `judge_output.read_judgments` without the texts: a criterion that was met before
is twelve bytes looked up. A second process that packs rows saves the tenth of a second that numpy
takes to load.
"""

import functools
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from nova_judge.pairs.judge_output import (
    ERROR_KEYS,
    FAILURE_KEYS,
    judgment_of,
    passes_of,
    read_details,
)
from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.pairs.rubric_packing import PackedRows, RubricPacker
from nova_judge.pairs.rubric_reading import CRITERIA_LIMIT, criterion_from
from nova_judge.pairs.safe_literal import RowMetrics, read_safe
from nova_judge.pairs.weighted_scores import weight_units
from nova_judge.records import Unscored
from nova_judge.statistics.outcomes import Outcome, Profile, outcome_of

_COUNTS = ("a_scores", "b_scores", "ties", *ERROR_KEYS)
_TEXTS = frozenset({"forward_output", "backward_output", *FAILURE_KEYS})
_FIELDS = (
    *("predictions", "criteria_breakdown", *_TEXTS, *_COUNTS),
    *("score_A", "score_B", "weight", "type"),
)


class _Entry(NamedTuple):
    """A criterion as the columns hold it; `packed` is None where it cannot be read.

    `weight` is in millionths.
    """

    packed: bytes | None
    weight: int = 0


_weight = attrgetter("weight")


def packed_rows(details: Path, part: range | None = None) -> PackedRows:
    """The rows of a details Parquet, or those with the numbers of `part`, read by this process.

    Raises JudgeJobError.
    """
    packer = RubricPacker()
    reader = MetricsReader(_FIELDS, functools.partial(_entry, packer))
    for row in read_details(details, part):
        if not isinstance(row.metrics, str):
            packer.add(judgment_of(row.metrics, row.predictions)[0])
            continue
        metrics = reader.read(row.metrics)
        if isinstance(metrics, Unscored):
            packer.add_packed((), Outcome.ERROR, Outcome.ERROR)
            continue
        packed = _packed(metrics.get("criteria_breakdown"))
        if not packed and "criteria_breakdown" in metrics:  # the raw output may hold a rubric
            packer.add(judgment_of(read_safe(row.metrics), row.predictions)[0])
        else:
            packer.add_packed(packed, *_profile(metrics, row.predictions))
    return packer.take()


def _entry(packer: RubricPacker, name: str, fields: RowMetrics) -> _Entry:
    criterion = criterion_from(name, fields)
    if isinstance(criterion, Unscored):
        return _Entry(None)
    return _Entry(packer.packed(criterion), weight_units(criterion.weight))


def _packed(breakdown: object) -> Sequence[bytes]:
    """The entries of a rubric; none where `rubric_from` would call it unscored."""
    if not isinstance(breakdown, dict):
        return ()
    entries = breakdown.values()
    packed = [entry.packed for entry in entries if isinstance(entry, _Entry) and entry.packed]
    readable = 0 < len(packed) == len(breakdown) <= CRITERIA_LIMIT
    return packed if readable and any(map(_weight, entries)) else ()


def _profile(metrics: RowMetrics, predictions: object) -> Profile:
    labels = metrics.get("predictions")
    outputs = not _TEXTS.isdisjoint(metrics)
    raw = isinstance(predictions, list) and len(predictions) > 1
    if isinstance(labels, list) and not (outputs or raw):
        try:
            return _profile_of_labels(tuple(labels), *map(metrics.get, _COUNTS))
        except TypeError:  # a list where a label or a count should be cannot be a key of the cache
            pass
    passes = passes_of(metrics, predictions)
    return Profile(outcome_of(passes.forward), outcome_of(passes.backward))


@functools.lru_cache(maxsize=4096, typed=True)
def _profile_of_labels(labels: tuple[str, ...], *counts: Any) -> Profile:  # noqa: ANN401
    counted = {
        name: count for name, count in zip(_COUNTS, counts, strict=True) if count is not None
    }
    passes = passes_of({"predictions": list(labels), **counted})
    return Profile(outcome_of(passes.forward), outcome_of(passes.backward))
