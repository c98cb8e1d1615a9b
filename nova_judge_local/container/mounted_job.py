"""One job as the container finds it below `/opt/ml`: the recipe, the data file, the judge."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import ryaml

from nova_judge.errors import LocalModeError
from nova_judge_local.emulator_settings import DEFAULT_CALLS, JudgeCalls
from nova_judge_local.judges.model_under_test import ModelUnderTest

RECIPE_KEY = "sagemaker_recipe_local_path"
_CONTAINER_INPUT = "/opt/ml/input/"


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
    """Things that a job reaches beyond its folder: the models, and the emulated account."""

    model: ModelUnderTest = ModelUnderTest()
    account: str | None = None
    judge_calls: JudgeCalls = DEFAULT_CALLS


NOTHING = Outside()


class ContainerJob(NamedTuple):
    """Job as a task family needs it. `recipe` is the whole recipe as it was read."""

    root: Path
    run_name: str
    model: str
    task: str
    recipe: dict[str, Any]
    hyperparameters: dict[str, str]
    judge: str
    knowledge: Path | None
    outside: Outside = NOTHING

    @property
    def model_under_test(self) -> ModelUnderTest:
        """Model that answers where the job evaluates one."""
        return self.outside.model

    @property
    def judge_calls(self) -> JudgeCalls:
        """Settings for calls of the judge's model."""
        return self.outside.judge_calls

    @property
    def account_endpoint(self) -> str | None:
        """Address of the emulated account; None outside one."""
        return self.outside.account

    @property
    def output(self) -> Path:
        """Folder in which the run's folder lies."""
        return self.root / "output/data"

    def data_file(self) -> Path:
        """The one file of the train channel."""
        folder = self.root / "input/data/train"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if len(files) != 1:
            raise LocalModeError(
                f"The train channel holds {len(files)} files; the container reads exactly one."
            )
        return files[0]


def read_job(
    root: Path, judge: str, knowledge: Path | None, outside: Outside = NOTHING
) -> ContainerJob:
    """Read hyperparameters and recipe; raises `LocalModeError` where the container would fail."""
    hyperparameters = json.loads((root / "input/config/hyperparameters.json").read_text("utf-8"))
    if RECIPE_KEY not in hyperparameters:
        return _serverless_job(root, hyperparameters, judge, outside)
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
        judge=judge,
        knowledge=knowledge,
        outside=outside,
    )


def _serverless_job(
    root: Path, hyperparameters: dict[str, str], judge: str, outside: Outside
) -> ContainerJob:
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
        judge=judge,
        knowledge=None,
        outside=outside,
    )
