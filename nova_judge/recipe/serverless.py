"""`judge.serverless` of a recipe: evaluation of model packages without an instance of one's own.

Three evaluations exist: standard benchmarks, scorers on own data, and Bedrock's judge in two steps
(first the model answers, then the judge scores).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from nova_judge.recipe.bedrock_judge import CustomMetric, metric_problems
from nova_judge.recipe.benchmarks import benchmark_problems, benchmarks
from nova_judge.recipe.nova_block import AtLeastZero, Positive, Section, Text, UpToOne

PUBLIC_HUB = "SageMakerPublicHub"
PRESET_SCORERS = ("prime_math", "prime_code")

_SAGEMAKER = r"arn:[\w.-]+:sagemaker:[\w-]+"
_MODEL = re.compile(_SAGEMAKER + r":(?:\d{12}|aws):hub-content/[^/]+/Model/([^/]+).*")
PACKAGE = re.compile(rf"({_SAGEMAKER}:\d{{12}}:model-package)/([^/]+)/\d+")
_DATASET = re.compile(_SAGEMAKER + r":\d{12}:hub-content/[^/]+/DataSet/[^/]+.*")
_EVALUATOR = re.compile(_SAGEMAKER + r":\d{12}:hub-content/[^/]+/JsonDoc/[^/]+.*")
_KEYS = {"evaluation.task": "serverless.benchmark", "evaluation.subtask": "serverless.subtask"}


class ServerlessInference(Section, frozen=True):
    """Settings of the model's answers."""

    max_new_tokens: Positive = 8192
    temperature: AtLeastZero = 0
    top_k: int = -1
    top_p: UpToOne = 1.0

    def hyperparameters(self) -> dict[str, str]:
        """As the container gets them: text."""
        return {name: str(getattr(self, name)) for name in self.__struct_fields__}


class ServerlessJudge(Section, frozen=True, omit_defaults=True):
    """The judge of `evaluation: llmaj`."""

    evaluator: Text
    metrics: tuple[str, ...] = ()
    custom_metrics: tuple[CustomMetric, ...] = ()


class Serverless(Section, frozen=True, omit_defaults=True):
    """`judge.serverless` of a recipe. Without `model_package` the base model itself is evaluated.

    `dataset` is the ARN of a registered data set, for recipes that need no input file.
    """

    evaluation: Literal["benchmark", "scorer", "llmaj"]
    base_model: Text
    model_package: Text | None = None
    benchmark: Text | None = None
    subtask: str = ""
    dataset: Text | None = None
    llmaj: ServerlessJudge | None = None
    inference: ServerlessInference = ServerlessInference()
    max_runtime_s: Annotated[int, Meta(ge=60, le=28 * 86_400)] = 86_400

    @property
    def model_name(self) -> str:
        """The base model's name in its hub."""
        match = _MODEL.fullmatch(self.base_model)
        return match[1] if match else self.base_model

    @property
    def needs_file(self) -> bool:
        """True where an input file has to be brought along."""
        return self.evaluation != "benchmark" and self.dataset is None


def serverless_problems(serverless: Serverless, scorer: str | None) -> Iterator[str]:
    """The faults of `judge.serverless` and `judge.scorer`, and what is allowed."""
    for key, value, pattern, example in (
        ("base_model", serverless.base_model, _MODEL, "…:hub-content/<hub>/Model/<name>/<version>"),
        ("model_package", serverless.model_package, PACKAGE, "…:model-package/<group>/<version>"),
        ("dataset", serverless.dataset, _DATASET, "…:hub-content/<hub>/DataSet/<name>/<version>"),
    ):
        if value is not None and not pattern.fullmatch(value):
            expected = f"arn:<partition>:sagemaker:{example}"
            yield f"serverless.{key}: found {value!r}; an ARN is expected: {expected}"
    if serverless.evaluation == "benchmark":
        yield from _benchmark_problems(serverless)
    if serverless.evaluation == "scorer":
        yield from _scorer_problems(scorer)
    elif scorer is not None:
        yield f"scorer: evaluation {serverless.evaluation!r} uses none; leave the key out"
    if (serverless.evaluation == "llmaj") != (serverless.llmaj is not None):
        yield "serverless.llmaj: needed with evaluation llmaj, and only there"
    if serverless.llmaj is not None:
        for problem in metric_problems(serverless.llmaj.metrics, serverless.llmaj.custom_metrics):
            yield f"serverless.llmaj.{problem}"
    yield from _refused_by_the_service(serverless)


def _refused_by_the_service(serverless: Serverless) -> Iterator[str]:
    """Faults of the right form that the service refuses once they were sent.

    Source: AWS's SDK sagemaker-train 1.27.0 (llm_as_judge_evaluator.py) and
    https://github.com/aws/sagemaker-python-sdk/pull/5959.
    """
    hub = re.search(r":hub-content/([^/]+)/Model/", serverless.base_model)
    if hub is not None and hub[1] != PUBLIC_HUB:
        yield (
            f"serverless.base_model: found a model of the hub {hub[1]!r}; serverless jobs take "
            f"models of {PUBLIC_HUB} only: name the model there (account `aws`)"
        )
    if serverless.evaluation == "llmaj" and "nova" in serverless.model_name.lower():
        yield (
            f"serverless.base_model: {serverless.model_name} is a Nova model, and AWS runs no "
            "serverless llmaj for those. Let Bedrock answer and its judge score: `kind: "
            "bedrock_judge` with `candidates: {A: {bedrock: us.amazon.nova-…}}` and "
            "`judge.bedrock.evaluator` (recipes/bedrock-judge.yaml)"
        )


def _benchmark_problems(serverless: Serverless) -> Iterator[str]:
    offered = [name for name, benchmark in benchmarks().items() if benchmark.serverless]
    name = serverless.benchmark
    if name is None or (name in benchmarks() and name not in offered):
        yield f"serverless.benchmark: found {name!r}; serverless are {', '.join(offered)}"
        return
    rules = benchmarks().get(name)
    for key, problem in benchmark_problems(
        task=name,
        strategy=rules.strategy if rules else "",
        metric=rules.metric if rules else "",
        subtask=serverless.subtask,
    ):
        yield f"{_KEYS[key]}: {problem}"


def _scorer_problems(scorer: str | None) -> Iterator[str]:
    if scorer is None or (scorer not in PRESET_SCORERS and not _EVALUATOR.fullmatch(scorer)):
        yield (
            f"scorer: found {scorer!r}; a serverless evaluation takes {', '.join(PRESET_SCORERS)} "
            "or the ARN of a registered evaluator (nova-judge scorers register)"
        )
