"""Requests of serverless evaluations: CreateTrainingJob without an instance of one's own.

The requests are those of the pipeline steps that `sagemaker.train.evaluate` of the SageMaker Python
SDK 3.27.0 creates.
"""

import json
from typing import Any

from nova_judge.kinds.job import JobPlace
from nova_judge.recipe.benchmarks import benchmarks
from nova_judge.recipe.serverless import (
    PACKAGE,
    PRESET_SCORERS,
    Serverless,
    ServerlessInference,
    ServerlessJudge,
)

CUSTOMISED = "customised"
_INFERENCE_NAMES = {"base": "BaseInference", CUSTOMISED: "CustomInference"}


def evaluation_request(
    serverless: Serverless, scorer: str | None, subject: str, place: JobPlace
) -> dict[str, Any]:
    """CreateTrainingJob of a benchmark or a scorer; `data_uri` may be a data set's ARN."""
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


def inference_request(serverless: Serverless, subject: str, place: JobPlace) -> dict[str, Any]:
    """The first step of `llmaj`: the model answers."""
    request = _request(serverless, subject, place, "BenchmarkEvaluation")
    request["HyperParameters"] = {"name": _INFERENCE_NAMES[subject], "task": "inference_only"}
    return request


def judging_request(
    serverless: Serverless,
    subject: str,
    place: JobPlace,
    *,
    judge: ServerlessJudge,
    answers_uri: str,
    custom_metrics_uri: str | None,
) -> dict[str, Any]:
    """The second step of `llmaj`: Bedrock's judge scores the answers at `answers_uri`.

    The container asks Bedrock for a job of a name of its own, whose judgments go below this job's
    folder like everything else that it writes.
    """
    request = _request(serverless, subject, place._replace(data_uri=None), "LLMAJEvaluation")
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


def answers_uri(subject: str, inference_place: JobPlace) -> str:
    """The file in which the first step of `llmaj` leaves the answers."""
    return (
        f"{inference_place.output_uri}/{inference_place.name}/output/output/"
        f"{_INFERENCE_NAMES[subject]}/eval_results/inference_output.jsonl"
    )


def custom_metrics_file(judge: ServerlessJudge) -> bytes | None:
    """The file of custom metrics that the second step reads; None when there are none."""
    definitions = [{"customMetricDefinition": m.definition()} for m in judge.custom_metrics]
    return json.dumps(definitions, indent=1).encode() if definitions else None


def _request(
    serverless: Serverless, subject: str, place: JobPlace, evaluation: str
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
    package = PACKAGE.fullmatch(serverless.model_package or "")
    if subject == CUSTOMISED and package is not None:
        request["ModelPackageConfig"] = {
            "ModelPackageGroupArn": f"{package[1]}-group/{package[2]}",
            "SourceModelPackageArn": serverless.model_package,
        }
    if place.data_uri is not None:
        request["InputDataConfig"] = [_train(place.data_uri)]
    return request


def _train(uri: str) -> dict[str, Any]:
    if uri.startswith("arn:"):
        return {"ChannelName": "train", "DataSource": {"DatasetSource": {"DatasetArn": uri}}}
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
