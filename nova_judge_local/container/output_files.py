"""The files that the Nova container writes, wherever their contents come from, and their means."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean, stdev

from nova_judge.pairs.container_details import DETAILS_COLUMNS, Detail
from nova_judge.parquet import write_parquet
from nova_judge_local.container.mounted_job import ContainerJob

STAND_IN = "local stand-in for the evaluation container"
_NOTE = "This is Nova Judge's local mode: no Amazon Nova model took part."


def write_details(job: ContainerJob, task_key: str, rows: Iterable[Detail]) -> None:
    """Write the Parquet file of one task's rows, one at a time in memory."""
    stamp = _now()
    folder = job.results_folder() / "details" / job.model / stamp
    folder.mkdir(parents=True)
    target = folder / f"details_{task_key}_{stamp}.parquet"
    write_parquet(target, DETAILS_COLUMNS, (row.columns() for row in rows))


def write_results(
    job: ContainerJob,
    tasks: Mapping[str, Mapping[str, float]],
    over_all: Mapping[str, float],
    stand_in: str | None,
) -> None:
    """Write `results_<timestamp>.json` of one or several tasks, naming who stood in."""
    stamp = _now()
    content = {
        "config_general": {
            "stand_in": stand_in,
            "note": _NOTE,
            "model_name": job.model,
            "start_time": stamp,
        },
        "results": {**tasks, "all": over_all},
        "versions": dict.fromkeys(tasks, 0),
    }
    file = job.results_folder() / f"results_{stamp}.json"
    file.write_text(json.dumps(content, indent=2), "utf-8")


def with_standard_errors(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each metric over the rows that have it, and `<metric>_stderr` beside it."""
    figures: dict[str, float] = {}
    for metric in dict.fromkeys(name for row in rows for name in row):
        values = [row[metric] for row in rows if metric in row]
        figures[metric] = fmean(values)
        if len(values) > 1:
            figures[f"{metric}_stderr"] = stdev(values) / math.sqrt(len(values))
    return figures


def averaged(tasks: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """`all`: the plain average over tasks, whatever their size, as LightEval gives it."""
    held = list(tasks)
    names = dict.fromkeys(name for task in held for name in task)
    return {name: fmean([task[name] for task in held if name in task]) for name in names}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
