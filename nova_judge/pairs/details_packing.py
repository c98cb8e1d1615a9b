"""Rows of a details Parquet packed: the same reading as `judge.output`, without the texts.

A criterion that was met before is twelve bytes looked up. Verdicts and numbers are those of
`judge.output.read_judgments`, row by row.

As a program, it writes the packed rows of a range, or a text why they cannot be read, to standard
output as msgpack: `python -m nova_judge.pairs.details_packing DETAILS FIRST LAST`.
"""

import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.pairs.judge_output import judgment_of, passes_of, read_details
from nova_judge.pairs.metrics_text import MetricsReader, RowMetrics, read_safe
from nova_judge.pairs.rubric_packing import PackedRows, RubricPacker
from nova_judge.pairs.rubric_reading import CRITERIA_LIMIT, criterion_from
from nova_judge.pairs.weighted_scores import weight_units
from nova_judge.records import Unscored
from nova_judge.statistics.outcomes import Outcome, Profile, outcome_of

_COUNTS = ("a_scores", "b_scores", "ties", "inference_error", "inference_errors")
_FIELDS = (
    *("predictions", "forward_output", "backward_output", "criteria_breakdown", *_COUNTS),
    *("score_A", "score_B", "weight", "type"),
)


class _Entry(NamedTuple):
    """A criterion as the columns hold it; `packed` is None where it cannot be read.

    `weight` is in millionths.
    """

    packed: bytes | None
    weight: int = 0


def packed_details(details: Path, first: int, last: int) -> PackedRows:
    """The rows from `first` to before `last`, packed; raises JudgeJobError."""
    packer = RubricPacker()
    reader = MetricsReader(_FIELDS, functools.partial(_entry, packer))
    for row in read_details(details, first, last):
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
    entries = list(breakdown.values()) if isinstance(breakdown, dict) else []
    packed = [entry.packed for entry in entries if isinstance(entry, _Entry) and entry.packed]
    readable = 0 < len(packed) == len(entries) <= CRITERIA_LIMIT
    return packed if readable and any(entry.weight for entry in entries) else ()


def _profile(metrics: RowMetrics, predictions: object) -> Profile:
    labels = metrics.get("predictions")
    outputs = "forward_output" in metrics or "backward_output" in metrics
    raw = isinstance(predictions, list) and len(predictions) > 1
    if isinstance(labels, list) and not (outputs or raw):
        try:
            return _profile_of_labels(tuple(labels), *map(metrics.get, _COUNTS))
        except TypeError:  # a list where a label or a count should be is no key of the cache
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


def main(details: str, first: str, last: str) -> None:
    """The program. Standard output is closed at once, so that nobody awaits our end."""
    packed: PackedRows | str
    try:
        packed = packed_details(Path(details), int(first), int(last))
    except JudgeJobError as error:
        packed = str(error)
    with os.fdopen(sys.stdout.fileno(), "wb") as stdout:
        stdout.write(msgspec.msgpack.encode(packed))


if __name__ == "__main__":
    main(*sys.argv[1:])
