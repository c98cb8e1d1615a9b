"""One job as the container finds it below `/opt/ml`: the recipe, the data file, the judge; and the
files that the container writes, wherever their contents come from, with their means.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import msgspec
import ryaml

from nova_judge.errors import LocalModeError
from nova_judge.pairs.container_details import DETAILS_COLUMNS, Detail
from nova_judge.parquet import write_parquet
from nova_judge.text import count_of
from nova_judge_local.emulator_settings import DEFAULT_CALLS, JudgeCalls
from nova_judge_local.judges.model_answers import ModelUnderTest

RECIPE_KEY = "sagemaker_recipe_local_path"
_CONTAINER_INPUT = "/opt/ml/input/"
STAND_IN = "local stand-in for the evaluation container"
_NOTE = "This is Nova Judge's local mode: no Amazon Nova model took part."


class _Run(msgspec.Struct):
    name: str
    model_type: str
    model_name_or_path: str


class _Evaluation(msgspec.Struct):
    task: str
    strategy: str
    metric: str
    subtask: str | None = None


class _Recipe(msgspec.Struct):
    run: _Run
    evaluation: _Evaluation
    inference: dict[str, Any] = {}


class Outside(NamedTuple):
    """Things that a job reaches beyond its folder: its judge and what that knows, the model that it
    evaluates, and the emulated account, by its address; None outside one.
    """

    judge: str
    knowledge: Path | None = None
    model: ModelUnderTest = ModelUnderTest()
    account: str | None = None
    judge_calls: JudgeCalls = DEFAULT_CALLS


class ContainerJob(NamedTuple):
    """Job as a task family needs it. `recipe` is the whole recipe as it was read."""

    root: Path
    run_name: str
    model: str
    task: str
    recipe: dict[str, Any]
    hyperparameters: dict[str, str]
    outside: Outside

    def results_folder(self) -> Path:
        """The folder of what the run writes."""
        folder = self.root / "output/data" / self.run_name / "eval_results"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def data_file(self) -> Path:
        """The one file of the train channel."""
        folder = self.root / "input/data/train"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if len(files) != 1:
            raise LocalModeError(
                f"The train channel holds {count_of(len(files), 'file')}; the container reads "
                "exactly one."
            )
        return files[0]


def read_job(root: Path, outside: Outside) -> ContainerJob:
    """Read hyperparameters and recipe; raises `LocalModeError` where the container would fail."""
    hyperparameters = json.loads((root / "input/config/hyperparameters.json").read_text("utf-8"))
    if RECIPE_KEY not in hyperparameters:
        return _serverless_job(root, hyperparameters, outside)
    path = hyperparameters.get(RECIPE_KEY, "")
    if not path.startswith(_CONTAINER_INPUT):
        raise LocalModeError(f"{RECIPE_KEY} is {path!r}, which is not below {_CONTAINER_INPUT}.")
    file = root / "input" / path.removeprefix(_CONTAINER_INPUT)
    if not file.is_file():
        raise LocalModeError(f"{path} does not exist: the recipe channel holds another file.")
    try:
        content = ryaml.loads(file.read_text("utf-8"))
        recipe = msgspec.convert(content, type=_Recipe)
    except (ryaml.InvalidYamlError, msgspec.ValidationError) as error:
        raise LocalModeError(f"{path} is not a recipe of the container: {error}") from error
    return ContainerJob(
        root=root,
        run_name=recipe.run.name,
        model=recipe.run.model_name_or_path,
        task=recipe.evaluation.task,
        recipe=content,
        hyperparameters=hyperparameters,
        outside=outside,
    )


def _serverless_job(root: Path, hyperparameters: dict[str, str], outside: Outside) -> ContainerJob:
    """A job without a recipe: everything stands in the hyperparameters and the job's own request.

    The second step of Bedrock's judge has no task of its own.
    """
    request = json.loads((root / "input/config/serverless.json").read_text("utf-8"))
    task = hyperparameters.get("task", "llmaj")
    recipe = {
        "evaluation": {
            "task": task,
            "metric": hyperparameters.get("metric", hyperparameters.get("evaluation_metric", "")),
            "subtask": hyperparameters.get("subtask", ""),
        },
        "processor": {"preset_reward_function": hyperparameters.get("preset_reward_function", "")},
    }
    return ContainerJob(
        root=root,
        run_name=hyperparameters.get("name", request["name"]),
        model=request["model"],
        task=task,
        recipe=recipe,
        hyperparameters=hyperparameters,
        outside=outside,
    )


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
