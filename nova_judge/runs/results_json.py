"""The results JSON of a judge or scoring job: figures by task, and what stood in for it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nova_judge.errors import JudgeJobError
from nova_judge.records import JobMetrics

_LIMIT = 64 << 20  # bytes


def read_job_metrics(results: Path) -> JobMetrics:
    """The figures that the job itself reported, flat, with the `task` they belong to.

    Raises JudgeJobError.
    """
    tasks = figures_by_task(results)
    task = next((name for name in sorted(tasks) if name != "all"), "all")
    if task not in tasks:
        raise JudgeJobError(f"{results.name}: the job's results hold no figures of a task.")
    return {"task": task, **tasks[task]}


def figures_by_task(results: Path) -> dict[str, dict[str, Any]]:
    """The figures of each task. Raises JudgeJobError."""
    tasks = _document(results).get("results")
    if not isinstance(tasks, dict):
        raise JudgeJobError(f"{results.name}: the job's results have no `results` by task.")
    return {name: figures for name, figures in tasks.items() if isinstance(figures, dict)}


def stand_in_of(results: Iterable[Path]) -> str | None:
    """Name of what replaced the container, where a local run says so. Raises JudgeJobError."""
    return _general(results, "stand_in")


def model_of(results: Iterable[Path]) -> str | None:
    """The model that the results name, as the judge or under test. Raises JudgeJobError."""
    return _general(results, "model_name")


def _general(results: Iterable[Path], key: str) -> str | None:
    for path in results:
        general = _document(path).get("config_general")
        if isinstance(general, dict) and general.get(key):
            return str(general[key])
    return None


def _document(results: Path) -> dict[str, Any]:
    """`NaN`, which Python's JSON writes for a standard error of one row, becomes None."""
    if results.stat().st_size > _LIMIT:
        raise JudgeJobError(
            f"{results.name}: {results.stat().st_size:,} bytes are too many for a results file."
        )
    try:
        document = json.loads(results.read_bytes(), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise JudgeJobError(f"{results.name}: the job's results are not JSON ({error}).") from error
    if not isinstance(document, dict):
        raise JudgeJobError(f"{results.name}: the job's results are not an object.")
    return document
