"""Serverless evaluation of model packages: training jobs without an instance of one's own.

Three evaluations exist: standard benchmarks, scorers on own data, and Bedrock's judge in two steps
(first the model answers, then the judge scores). The requests are those of the pipeline steps that
`sagemaker.train.evaluate` of the SageMaker Python SDK 3.27.0 creates.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from nova_judge.recipe.bedrock_metrics import (
    CustomMetric,
    custom_metric_problems,
    metric_name_problems,
)
from nova_judge.recipe.benchmarks import benchmark_problems, benchmarks
from nova_judge.recipe.nova_block import Number, Positive, Section, Text

PRESET_SCORERS = ("prime_math", "prime_code")

_SAGEMAKER = r"arn:[\w.-]+:sagemaker:[\w-]+"
_MODEL = re.compile(_SAGEMAKER + r":(?:\d{12}|aws):hub-content/[^/]+/Model/([^/]+).*")
_PACKAGE = re.compile(rf"({_SAGEMAKER}:\d{{12}}:model-package)/([^/]+)/\d+")
_DATASET = re.compile(_SAGEMAKER + r":\d{12}:hub-content/[^/]+/DataSet/[^/]+.*")
_EVALUATOR = re.compile(_SAGEMAKER + r":\d{12}:hub-content/[^/]+/JsonDoc/[^/]+.*")
_KEYS = {"evaluation.task": "serverless.benchmark", "evaluation.subtask": "serverless.subtask"}
INFERENCE_NAMES = {"base": "BaseInference", "customised": "CustomInference"}

Subject = Literal["base", "customised"]


class ServerlessInference(Section, frozen=True):
    """How the model answers."""

    max_new_tokens: Positive = 8192
    temperature: Number = 0
    top_k: int = -1
    top_p: Number = 1.0

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
        found = _MODEL.fullmatch(self.base_model)
        return found[1] if found else self.base_model

    @property
    def needs_file(self) -> bool:
        """Whether an input file has to be brought along."""
        return self.evaluation != "benchmark" and self.dataset is None


def serverless_problems(serverless: Serverless, scorer: str | None) -> Iterator[str]:
    """What is wrong with `judge.serverless` and `judge.scorer`, and what is allowed."""
    for key, value, pattern, example in (
        ("base_model", serverless.base_model, _MODEL, "…:hub-content/<hub>/Model/<name>/<version>"),
        ("model_package", serverless.model_package, _PACKAGE, "…:model-package/<group>/<version>"),
        ("dataset", serverless.dataset, _DATASET, "…:hub-content/<hub>/DataSet/<name>/<version>"),
    ):
        if value is not None and not pattern.fullmatch(value):
            expected = f"arn:aws:sagemaker:{example}"
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
        yield from _llmaj_problems(serverless.llmaj)


def _benchmark_problems(serverless: Serverless) -> Iterator[str]:
    offered = [name for name, benchmark in benchmarks().items() if benchmark.serverless]
    name = serverless.benchmark
    if name is None or (name in benchmarks() and name not in offered):
        yield f"serverless.benchmark: found {name!r}; serverless are {', '.join(offered)}"
        return
    known = benchmarks().get(name)
    for key, problem in benchmark_problems(
        task=name,
        strategy=known.strategy if known else "",
        metric=known.metric if known else "",
        subtask=serverless.subtask,
    ):
        yield f"{_KEYS[key]}: {problem}"


def _scorer_problems(scorer: str | None) -> Iterator[str]:
    if scorer is None or (scorer not in PRESET_SCORERS and not _EVALUATOR.fullmatch(scorer)):
        yield (
            f"scorer: found {scorer!r}; a serverless evaluation takes {', '.join(PRESET_SCORERS)} "
            "or the ARN of a registered evaluator (nova-judge scorers register)"
        )


def _llmaj_problems(judge: ServerlessJudge) -> Iterator[str]:
    names = [metric.name for metric in judge.custom_metrics]
    for problem in metric_name_problems(judge.metrics, names):
        yield f"serverless.llmaj.{problem}"
    for number, metric in enumerate(judge.custom_metrics):
        for problem in custom_metric_problems(metric):
            yield f"serverless.llmaj.custom_metrics[{number}].{problem}"


class JobPlace(NamedTuple):
    """Where one job lies: its name, role, input, output, and what else the account demands."""

    name: str
    role_arn: str
    output_uri: str
    train_uri: str | None = None
    tags: Mapping[str, str] = {}


def evaluation_request(
    serverless: Serverless, scorer: str | None, subject: Subject, place: JobPlace
) -> dict[str, Any]:
    """CreateTrainingJob of a benchmark or a scorer; `train_uri` may be a data set's ARN."""
    kinds = {"benchmark": "BenchmarkEvaluation", "scorer": "CustomScorerEvaluation"}
    evaluator = scorer if scorer is not None and scorer not in PRESET_SCORERS else None
    request = _request(serverless, subject, place, kinds[serverless.evaluation])
    if evaluator is not None:
        request["ServerlessJobConfig"]["EvaluatorArn"] = evaluator
    request["HyperParameters"] = _task(serverless, scorer) | serverless.inference.hyperparameters()
    if serverless.subtask:
        request["HyperParameters"]["subtask"] = serverless.subtask
    return request


def _task(serverless: Serverless, scorer: str | None) -> dict[str, str]:
    nova = "nova" in serverless.model_name.lower()
    metric_key = "metric" if nova else "evaluation_metric"
    if serverless.evaluation == "benchmark":
        benchmark = benchmarks()[serverless.benchmark or ""]
        return {
            "task": serverless.benchmark or "",
            "strategy": benchmark.strategy,
            metric_key: benchmark.metric,
        }
    task = {"task": "gen_qa", "strategy": "gen_qa", metric_key: "all"}
    if nova:
        task["lambda_type"] = "rft"
    if scorer in PRESET_SCORERS:
        return {**task, "preset_reward_function": str(scorer)}
    return {**task, "aggregation": "mean", "postprocessing": "True"}


def inference_request(serverless: Serverless, subject: Subject, place: JobPlace) -> dict[str, Any]:
    """The first step of `llmaj`: the model answers."""
    request = _request(serverless, subject, place, "BenchmarkEvaluation")
    request["HyperParameters"] = {"name": INFERENCE_NAMES[subject], "task": "inference_only"}
    return request


def judging_request(
    serverless: Serverless,
    subject: Subject,
    place: JobPlace,
    *,
    answers_uri: str,
    custom_metrics_uri: str | None,
) -> dict[str, Any]:
    """The second step of `llmaj`: Bedrock's judge scores the answers at `answers_uri`.

    The container asks Bedrock for a job of a name of its own, whose judgments go below this job's
    folder like everything else that it writes.
    """
    judge = serverless.llmaj
    if judge is None:
        raise ValueError("judging needs serverless.llmaj")
    request = _request(serverless, subject, place._replace(train_uri=None), "LLMAJEvaluation")
    request["HyperParameters"] = {
        "name": place.name,
        "judge_model_id": judge.evaluator,
        "inference_data_s3_path": answers_uri,
        "output_path": f"{place.output_uri}/{place.name}",
        "llmaj_metrics": json.dumps(list(judge.metrics)),
        **({} if custom_metrics_uri is None else {"custom_metrics": custom_metrics_uri}),
        **ServerlessInference().hyperparameters(),
    }
    return request


def answers_uri(subject: Subject, inference_place: JobPlace) -> str:
    """Where the first step of `llmaj` leaves the answers."""
    return (
        f"{inference_place.output_uri}/{inference_place.name}/output/output/"
        f"{INFERENCE_NAMES[subject]}/eval_results/inference_output.jsonl"
    )


def custom_metrics_file(judge: ServerlessJudge) -> bytes | None:
    """The file of custom metrics that the second step reads; None when there are none."""
    definitions = [{"customMetricDefinition": m.definition()} for m in judge.custom_metrics]
    return json.dumps(definitions, indent=1).encode() if definitions else None


def _request(
    serverless: Serverless, subject: Subject, place: JobPlace, evaluation: str
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TrainingJobName": place.name,
        "RoleArn": place.role_arn,
        "ServerlessJobConfig": {
            "BaseModelArn": serverless.base_model,
            "AcceptEula": True,
            "JobType": "Evaluation",
            "EvaluationType": evaluation,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": serverless.max_runtime_s},
        "OutputDataConfig": {"S3OutputPath": place.output_uri, "CompressionType": "NONE"},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(place.tags.items())],
    }
    package = _PACKAGE.fullmatch(serverless.model_package or "")
    if subject == "customised" and package is not None:
        request["ModelPackageConfig"] = {
            "ModelPackageGroupArn": f"{package[1]}-group/{package[2]}",
            "SourceModelPackageArn": serverless.model_package,
        }
    if place.train_uri is not None:
        request["InputDataConfig"] = [_train(place.train_uri)]
    return request


def _train(uri: str) -> dict[str, Any]:
    if uri.startswith("arn:"):
        return {"ChannelName": "train", "DataSource": {"DatasetSource": {"DatasetArn": uri}}}
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
