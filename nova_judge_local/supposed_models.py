"""Supposes in the emulated account the models that a recipe names; others answer for them."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.catalog import images
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.known_sources import asked_models, is_the_accounts
from nova_judge_local.job_channels import parse_uri
from nova_judge_local.sagemaker.described import SUPPOSED_BUCKET

_ROLE: Final = "arn:aws:iam::123456789012:role/owner"
_SHAPE: Final = {
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "num_hidden_layers": 28,
    "hidden_size": 3584,
}
_CHECKPOINT: Final = {"config.json": _SHAPE, "tokenizer.json": {}, "model.safetensors": {}}
_ADAPTER: Final = {"adapter_config.json": {"r": 16}}


def suppose_models(recipe: Recipe, client: Callable[[str], Any]) -> None:
    """Lay down small checkpoints and adapters, and create endpoints that belong to the account."""
    specs = list(asked_models(recipe).values())
    s3 = client("s3")
    folders = [(parse_uri(uri), files) for spec in specs for uri, files in _folders(spec)]
    for bucket in {place.bucket for place, _ in folders}:
        s3.create_bucket(Bucket=bucket)
    for place, files in folders:
        for name, content in files.items():
            body = json.dumps(content).encode()
            s3.put_object(Bucket=place.bucket, Key=f"{place.key}{name}", Body=body)
    hosted: dict[str, set[str]] = {}
    for spec in specs:
        if is_the_accounts(spec):
            hosted.setdefault(spec.model, set()).update(filter(None, (spec.component,)))
    for name, components in hosted.items():
        _create_endpoint(client("sagemaker"), name, components)


def _folders(spec: AskedModel) -> Iterable[tuple[str, dict[str, Any]]]:
    if spec.weights is not None and spec.weights.startswith("s3://"):
        yield spec.weights, _CHECKPOINT
    if spec.lora is not None:
        yield spec.lora, _ADAPTER
    if spec.training_job is not None:
        yield f"s3://{SUPPOSED_BUCKET}/{spec.training_job}/", _CHECKPOINT
    if spec.model_package is not None:
        name = spec.model_package.rpartition("model-package/")[2]
        yield f"s3://{SUPPOSED_BUCKET}/{name}/", _CHECKPOINT


def _create_endpoint(sagemaker: Any, name: str, components: set[str]) -> None:  # noqa: ANN401
    """An endpoint that vLLM serves; with components its variant has no model of its own."""
    serving = images().serving
    registry = f"{serving.accounts['us-east-1']}.dkr.ecr.us-east-1.amazonaws.com"
    container = {"Image": f"{registry}/{serving.images['vllm']}"}
    variant: dict[str, Any] = {"VariantName": "main", "InstanceType": "ml.g5.xlarge"}
    variant["InitialInstanceCount"] = 1
    if not components:
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=_ROLE)
        variant["ModelName"] = name
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    for component in sorted(components):
        sagemaker.create_inference_component(
            InferenceComponentName=component,
            EndpointName=name,
            VariantName="main",
            Specification={"Container": container},
        )
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
