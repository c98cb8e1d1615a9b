"""The files that the Nova container writes, wherever their contents come from."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from nova_judge.pairs.container_details import DETAILS_COLUMNS, Detail
from nova_judge.parquet import write_parquet
from nova_judge_local.container.mounted_job import ContainerJob

_NOTE = "This is Nova Judge's local mode: no Amazon Nova model took part."


class OutputWriter:
    """Writes one task's details and results under the run's name, stamped with one moment."""

    def __init__(self, job: ContainerJob, task_key: str) -> None:
        self._job = job
        self._task_key = task_key
        self._stamp = _now()
        self._folder = job.output / job.run_name / "eval_results"

    def details(self, rows: Iterable[Detail]) -> None:
        """Write the Parquet file of the rows, one at a time in memory."""
        folder = self._folder / "details" / self._job.model / self._stamp
        folder.mkdir(parents=True)
        target = folder / f"details_{self._task_key}_{self._stamp}.parquet"
        write_parquet(target, DETAILS_COLUMNS, (row.columns() for row in rows))

    def results(self, metrics: Mapping[str, float], judge: str | None = None) -> None:
        """Write `results_<timestamp>.json`, which says plainly that a stand-in worked."""
        write_results(self._job, {self._task_key: metrics}, metrics, judge)


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
    folder = job.output / job.run_name / "eval_results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"results_{stamp}.json").write_text(json.dumps(content, indent=2), "utf-8")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
